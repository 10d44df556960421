"""Networks that move a mouth to sound: the two ONNX files of an avatar pack, and the libraries that run them."""

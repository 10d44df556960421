"""Whether the server in this container is ready: exit 0 or 1, for HEALTHCHECK and for probes that run a command.

Knows the port and whether there is TLS from the settings in the environment, and nothing else of Talkie: it is run
every half minute, so it loads next to nothing.
"""

import http.client
import os
import sys

ENDPOINT = "/readyz"
TIMEOUT_S = 4.0
LOOPBACK = "127.0.0.1"


def connection() -> http.client.HTTPConnection:
    """To this container's own server. Its certificate is made out to other names than ours, so it is not looked at:
    what is asked and answered is no secret."""
    port = int(os.environ.get("TALKIE_PORT", "8000"))
    if os.environ.get("TALKIE_TLS", "off") == "off" and not os.environ.get("TALKIE_TLS_CERT"):
        return http.client.HTTPConnection(LOOPBACK, port, timeout=TIMEOUT_S)
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(LOOPBACK, port, timeout=TIMEOUT_S, context=context)


def main() -> int:
    try:
        asked = connection()
        asked.request("GET", sys.argv[1] if len(sys.argv) > 1 else ENDPOINT)
        answer = asked.getresponse()
        print(answer.status, answer.read(1000).decode("utf-8", "replace"))
    except (OSError, http.client.HTTPException) as error:
        print(error)
        return 1
    return 0 if answer.status < 300 else 1


if __name__ == "__main__":
    sys.exit(main())

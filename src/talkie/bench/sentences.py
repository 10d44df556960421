"""Everyday sentences for the built-in voices, written for this file: numbers, names, questions, short and long.

Knows nothing of voices.
"""

from __future__ import annotations

SENTENCES = {
    "en": (
        "Good morning, how are you today?",
        "Please turn off the lights in the kitchen.",
        "The train to the city leaves at nine fifteen from platform two.",
        "She bought three apples, two lemons and a loaf of bread.",
        "We walked along the river until the rain began to fall.",
        "Could you send me the report before the end of the week?",
        "My brother has lived in a small house near the sea for twenty years.",
        "What time is it?",
        "The doctor said that he should drink more water and sleep longer.",
        "It was a long winter, and the children were glad to see the first flowers.",
        "Open the window and let some fresh air in.",
        "Nobody knew who had written the letter on the table.",
    ),
    "de": (
        "Guten Morgen, wie geht es dir heute?",
        "Bitte mach das Licht in der Küche aus.",
        "Der Zug in die Stadt fährt um neun Uhr fünfzehn von Gleis zwei.",
        "Sie kaufte drei Äpfel, zwei Zitronen und ein Brot.",
        "Wir gingen am Fluss entlang, bis es zu regnen begann.",
        "Kannst du mir den Bericht vor dem Wochenende schicken?",
        "Mein Bruder wohnt seit zwanzig Jahren in einem kleinen Haus am Meer.",
        "Wie spät ist es?",
        "Die Ärztin sagte, er solle mehr Wasser trinken und länger schlafen.",
        "Niemand wusste, wer den Brief auf dem Tisch geschrieben hatte.",
    ),
    "es": (
        "Buenos días, ¿cómo estás hoy?",
        "Por favor, apaga la luz de la cocina.",
        "El tren a la ciudad sale a las nueve y cuarto del andén dos.",
        "Ella compró tres manzanas, dos limones y una barra de pan.",
        "Caminamos junto al río hasta que empezó a llover.",
        "¿Puedes enviarme el informe antes del fin de semana?",
        "Mi hermano vive desde hace veinte años en una casa pequeña cerca del mar.",
        "¿Qué hora es?",
        "La doctora dijo que debía beber más agua y dormir más.",
        "Nadie sabía quién había escrito la carta que estaba en la mesa.",
    ),
    "fr": (
        "Bonjour, comment vas-tu aujourd'hui ?",
        "Éteins la lumière de la cuisine, s'il te plaît.",
        "Le train pour la ville part à neuf heures quinze de la voie deux.",
        "Elle a acheté trois pommes, deux citrons et une baguette.",
        "Nous avons marché le long de la rivière jusqu'à ce qu'il pleuve.",
        "Peux-tu m'envoyer le rapport avant la fin de la semaine ?",
        "Mon frère habite depuis vingt ans dans une petite maison près de la mer.",
        "Quelle heure est-il ?",
        "Le médecin a dit qu'il devait boire plus d'eau et dormir plus longtemps.",
        "Personne ne savait qui avait écrit la lettre posée sur la table.",
    ),
}
"""By language (ISO 639-1)."""

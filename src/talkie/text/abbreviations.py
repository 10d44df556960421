"""Words that carry a full stop without ending a sentence, in English, German, Spanish and French, and ordinals.

Lists, and no rules: `sentence_ends.py` decides. All in lower case and without the last full stop.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


BEFORE_A_NAME = _words("""
    dr mr mrs ms messrs mx prof st ste sgt capt cpt col gen lt maj cmdr adm gov sen rep rev hon pres supt
    hr fr frl dipl bgm sr sra srta dña ud uds vd vds lic dra profa excmo excma ee mme mmes mlle mlles mgr
""")
"""Written with a capital letter, a name follows: never the end of a sentence while a word comes after."""

BEFORE_MORE = _words("""
    e.g i.e eg av cf vs viz approx ca esp incl excl resp p.ej p.ex c.-à-d env
    z.b d.h u.a u.ä o.ä i.d.r z.t z.zt s.o s.u v.a m.e bzw ggf evtl vgl sog inkl zzgl einschl insb med phil jur habil
""")
"""More of the same sentence follows."""

BEFORE_A_NUMBER = _words("""
    no nos nr fig figs vol vols p pp pg sec ch chap art eq ref ed s abs bd kap ziff abb tab tel str
    núm num pág págs cap fol n° t éd
    jan feb mar apr jun jul aug sep sept oct nov dec okt dez ene abr ago dic janv févr avr juil déc
""")
"""Short for something that is counted: not the end where a digit follows."""

OFTEN_LAST = _words("etc inc ltd co corp bros jr a.m p.m est dept usw u.s.w gmbh s.a s.l cía")
"""May stand last: the end where a capital letter follows."""

MONTHS = _words("""
    januar jänner februar märz april mai juni juli august september oktober november dezember
    januari februari maart mei augustus maj marts desember
""")

DOTTED_ORDINALS = _words("de da nb nn no is fi et lv cs sk sl hr sr bs hu pl lb fo tr eu")
"""Languages that write `3.` for third."""

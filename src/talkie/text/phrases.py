"""What Whisper is known to write when nobody speaks: the thanks, farewells and credits of its training subtitles.

Collected from what users of Whisper-based programs report. People say many of these too, so they are never dropped by
themselves alone: `filters.py` asks for silence or doubt first. A phrase is the whole text of a segment, once or
repeated; a credit is how a segment begins. Case, spaces and punctuation do not count.
"""

# ruff: noqa: E501, RUF001 (letters of other alphabets are meant; wide ones count twice)
from __future__ import annotations

PHRASES: dict[str, tuple[str, ...]] = {
    "en": (
        "thank you", "thank you very much", "thank you so much", "thanks", "thanks a lot", "thanks for watching",
        "thank you for watching", "thank you so much for watching", "thanks for listening", "thank you for listening",
        "thank you for watching and see you next time", "thank you for watching this video", "please subscribe",
        "please subscribe to my channel", "like and subscribe", "please like and subscribe",
        "don't forget to like and subscribe", "don't forget to subscribe", "see you next time", "see you next week",
        "see you in the next video", "i'll see you next time", "i'll see you in the next video", "bye", "bye bye",
        "goodbye", "good night", "you", "the end", "we'll be right back", "music",
        "music playing", "applause", "laughter", "silence", "blank audio", "inaudible", "foreign", "speaking foreign language",
    ),
    "de": (
        "danke", "danke schön", "dankeschön", "vielen dank", "vielen dank fürs zuschauen", "danke fürs zuschauen",
        "vielen dank für die aufmerksamkeit", "vielen dank für ihre aufmerksamkeit", "bis zum nächsten mal",
        "bis zum nächsten video", "bis dann", "tschüss", "auf wiedersehen", "das war's", "musik", "applaus",
    ),
    "es": (
        "gracias", "muchas gracias", "gracias por ver", "gracias por ver el video", "gracias por ver el vídeo",
        "suscríbete", "suscríbete al canal", "no olvides suscribirte", "hasta la próxima", "hasta luego", "adiós",
        "nos vemos en el próximo video", "nos vemos", "música", "aplausos",
    ),
    "fr": (
        "merci", "merci beaucoup", "merci d'avoir regardé", "merci d'avoir regardé cette vidéo", "merci à tous",
        "abonnez-vous", "n'oubliez pas de vous abonner", "à bientôt", "à la prochaine", "au revoir", "musique",
        "applaudissements", "bonne journée",
    ),
    "it": (
        "grazie", "grazie mille", "grazie a tutti", "grazie per la visione", "grazie per aver guardato",
        "grazie per aver guardato il video", "iscriviti al canale", "iscrivetevi al canale", "alla prossima",
        "ci vediamo al prossimo video", "ciao", "arrivederci", "musica", "applausi",
    ),
    "pt": (
        "obrigado", "obrigada", "muito obrigado", "obrigado por assistir", "obrigado por assistirem",
        "inscreva-se no canal", "se inscreva no canal", "até a próxima", "até o próximo vídeo", "até mais", "tchau",
        "tchau tchau", "música", "aplausos",
    ),
    "nl": (
        "bedankt", "dank je wel", "dank u wel", "bedankt voor het kijken", "bedankt voor het luisteren",
        "tot de volgende keer", "tot ziens", "tot de volgende", "abonneer", "muziek", "applaus",
    ),
    "pl": (
        "dziękuję", "dziękuję bardzo", "dzięki", "dziękuję za uwagę", "dziękuję za oglądanie", "dzięki za oglądanie",
        "dziękuję za obejrzenie", "zapraszam na kolejny odcinek", "do zobaczenia", "do widzenia", "subskrybuj", "muzyka",
    ),
    "ru": (
        "спасибо", "спасибо за внимание", "спасибо за просмотр", "продолжение следует", "всем пока", "пока", "до свидания",
        "до новых встреч", "подписывайтесь на канал", "подписывайтесь на мой канал", "ставьте лайки", "музыка",
        "аплодисменты", "динамичная музыка", "играет музыка", "спокойная музыка",
    ),
    "uk": ("дякую", "дякую за увагу", "дякую за перегляд", "до зустрічі", "до побачення", "підписуйтесь на канал", "музика"),
    "tr": (
        "teşekkürler", "teşekkür ederim", "izlediğiniz için teşekkürler", "izlediğiniz için teşekkür ederim",
        "abone olmayı unutmayın", "bir sonraki videoda görüşmek üzere", "bir sonraki videoda görüşürüz", "görüşürüz",
        "hoşça kalın", "müzik", "alkış",
    ),
    "ja": (
        "ご視聴ありがとうございました", "ご視聴ありがとうございます", "ご清聴ありがとうございました", "ありがとうございました",
        "最後までご視聴いただきありがとうございます", "最後までご視聴ありがとうございました", "見てくれてありがとう",
        "チャンネル登録お願いします", "チャンネル登録よろしくお願いします", "チャンネル登録をお願いいたします",
        "おやすみなさい", "お疲れ様でした", "また次の動画でお会いしましょう", "バイバイ", "じゃあね", "音楽", "拍手",
    ),
    "zh": (
        "谢谢", "謝謝", "谢谢大家", "謝謝大家", "谢谢观看", "謝謝觀看", "感谢观看", "感謝觀看", "多谢观看", "谢谢收看", "謝謝收看",
        "谢谢您的观看", "感谢收听", "下期再见", "下次再见", "再见", "再見", "拜拜", "音乐", "音樂", "掌声",
    ),
    "yue": ("多謝", "多謝收看", "多謝觀看", "拜拜"),
    "ko": (
        "감사합니다", "고맙습니다", "시청해 주셔서 감사합니다", "끝까지 시청해 주셔서 감사합니다", "들어주셔서 감사합니다",
        "구독과 좋아요 부탁드립니다", "구독 좋아요 알림 설정 부탁드려요", "다음 영상에서 만나요", "다음 시간에 만나요",
        "안녕히 계세요", "안녕", "음악", "박수",
    ),
    "sv": ("tack", "tack så mycket", "tack för att du tittade", "tack för att ni tittade", "hej då", "musik"),
    "da": ("tak", "tak for at se med", "tak fordi du så med", "tak fordi i så med", "farvel", "musik"),
    "no": ("takk", "takk for at du så på", "takk for at dere så på", "ha det", "musikk"),
    "fi": ("kiitos", "kiitos kun katsoit", "kiitos kun katsoitte", "kiitos katsomisesta", "hei hei", "musiikkia"),
    "cs": ("děkuji", "děkujeme", "děkuji za pozornost", "děkujeme za pozornost", "děkuji za sledování", "na shledanou", "hudba"),
    "sk": ("ďakujem", "ďakujem za pozornosť", "ďakujeme za pozornosť", "dovidenia", "hudba"),
    "hu": ("köszönöm", "köszönöm szépen", "köszönöm, hogy megnézted", "köszönöm, hogy megnézted a videót", "viszlát", "zene"),
    "ro": ("mulțumesc", "vă mulțumesc", "mulțumim pentru vizionare", "vă mulțumim pentru vizionare", "la revedere", "muzică"),
    "el": ("ευχαριστώ", "ευχαριστούμε", "ευχαριστώ που παρακολουθήσατε", "αντίο", "μουσική"),
    "bg": ("благодаря", "благодаря ви за вниманието", "благодаря за гледането", "довиждане"),
    "hr": ("hvala", "hvala vam", "hvala što pratite kanal", "hvala na gledanju", "doviđenja"),
    "sr": ("hvala", "хвала", "hvala što pratite kanal", "doviđenja"),
    "sl": ("hvala", "hvala za ogled", "nasvidenje"),
    "ca": ("gràcies", "moltes gràcies", "fins aviat", "adéu"),
    "ar": ("شكرا", "شكرا لكم", "شكرا للمشاهدة", "شكرا على المشاهدة", "اشتركوا في القناة", "موسيقى"),
    "fa": ("متشکرم", "ممنون", "با تشکر از شما", "موسیقی"),
    "he": ("תודה", "תודה רבה", "תודה על הצפייה", "תודה שצפיתם"),
    "hi": ("धन्यवाद", "देखने के लिए धन्यवाद", "सब्सक्राइब करें", "संगीत"),
    "vi": ("cảm ơn", "cảm ơn các bạn đã theo dõi", "cảm ơn các bạn đã xem", "hẹn gặp lại", "hẹn gặp lại các bạn", "tạm biệt"),
    "id": ("terima kasih", "terima kasih telah menonton", "terima kasih sudah menonton", "sampai jumpa", "musik"),
    "th": ("ขอบคุณครับ", "ขอบคุณค่ะ", "ขอบคุณที่รับชม", "สวัสดีครับ", "โปรดติดตามตอนต่อไป"),
}  # fmt: skip
"""Language code to whole segments. English ones count in every language: it is what translations are written in."""

CREDITS: dict[str, tuple[str, ...]] = {
    "en": (
        "subtitles by", "subtitled by", "captions by", "captioned by", "captioning provided by", "transcribed by",
        "transcription by", "translated by", "for more information visit www", "for more information, visit www",
    ),
    "de": (
        "untertitel der", "untertitel von", "untertitel im auftrag", "untertitelung im auftrag", "untertitelung des zdf",
        "untertitelung aufgrund", "untertitel zdf", "untertitel swr", "copyright wdr", "swr 20",
    ),
    "es": ("subtítulos realizados por", "subtítulos por", "subtítulos creados por", "subtitulado por"),
    "fr": ("sous-titres réalisés", "sous-titres par", "sous-titres fait par", "sous-titrage"),
    "it": ("sottotitoli creati", "sottotitoli e revisione", "sottotitoli a cura di", "sottotitoli di"),
    "pt": ("legendas pela comunidade", "legendas por", "legendado por", "legenda por", "transcrição e legendas"),
    "nl": ("ondertitels ingediend", "ondertiteld door", "ondertiteling door", "ondertitels door"),
    "pl": ("napisy stworzone przez", "napisy wykonane przez", "napisy robił", "tłumaczenie i napisy"),
    "ru": (
        "субтитры сделал", "субтитры создавал", "субтитры делал", "субтитры подогнал", "субтитры добавил",
        "редактор субтитров", "корректор субтитров",
    ),
    "uk": ("субтитри зробив", "субтитри створив", "редактор субтитрів"),
    "tr": ("altyazı m.k.", "altyazı çeviri", "çeviri ve altyazı"),
    "ja": ("字幕作成者", "字幕提供"),
    "zh": (
        "字幕by", "字幕由", "字幕志愿者", "字幕志願者", "中文字幕志愿者", "中文字幕志願者", "中文字幕提供", "请不吝点赞", "請不吝點贊",
        "请不吝点讚", "優優獨播劇場", "优优独播剧场", "字幕製作", "字幕制作",
    ),
    "ko": ("mbc 뉴스", "kbs 뉴스", "자막 제공", "자막 제작", "한글자막", "한국어 자막"),
    "sv": ("undertexter från", "undertexter av", "svensktextning", "textning"),
    "da": ("danske tekster af", "undertekster af", "tekster af"),
    "no": ("undertekster av", "teksting av", "tekstet av"),
    "fi": ("tekstitys", "suomennos"),
    "cs": ("titulky vytvořil", "titulky přeložil"),
    "hu": ("feliratok", "a feliratot készítette"),
    "ro": ("subtitrare", "nu uitați să dați like"),
    "el": ("υπότιτλοι",),
    "hr": ("titlovi", "prijevod"),
    "ar": ("ترجمة نانسي قنقر", "ترجمة"),
    "vi": ("hãy subscribe cho kênh", "hãy đăng ký kênh"),
}  # fmt: skip
"""Language code to how a segment begins that nobody spoke."""

CREDITS_ANYWHERE = ("amaraorg", "dimatorzok", "opensubtitles", "castingwords", "authorwave")
"""Names of those who wrote subtitles, as `filters.phrase_key` folds them."""

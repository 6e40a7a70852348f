"""What of a text no network should spell, as regular expressions: addresses, code, identifiers, emoji.

Each is a sum of alternatives without names for groups; placeholders.py puts them together. None takes more than
linear time.
"""

EMOJI = (
    "(?:[\u00a9\u00ae\u203c\u2049\u2122\u2190-\u21ff\u2300-\u23ff\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\U0001f000-\U0001faff\U000e0020-\U000e007f][\ufe0e\ufe0f\u200d]*|[0-9#*]\ufe0f?\u20e3)+"
)

# fmt: off
_ENDINGS = [  # none that is a word, which may follow a full stop without a space
    "com", "org", "net", "edu", "gov", "io", "eu", "fr", "ch", "uk", "ca", "dev", "app", "info", "lan", "local",
    "pdf", "docx?", "xlsx?", "pptx?", "od[tsp]", "txt", "csv", "tsv", "json[l5]?", "xml", "x?html?", "zip",
    "t?gz", "tar", "xz", "7z", "png", "jpe?g", "gif", "svg", "webp", "ico", "mp[34]", "wav", "avi", "mkv", "mov",
    "py", "js", "tsx?", "jsx", "css", "php", "rb", "rs", "go", "c", "h", "cpp", "hpp", "cs", "java", "jar", "sh",
    "bat", "ps1", "exe", "dll", "so", "ini", "cfg", "conf", "toml", "ya?ml", "lock", "log", "md", "rst", "sql",
    "db", "sqlite", "bak", "tmp", "srt", "po", "mo", "iso", "deb", "rpm", "apk", "key", "pem", "crt", "env",
]
# fmt: on

WEB = "|".join(
    [
        r"(?i:https?|ftp|file|ssh|git|s3)://[^\s<>\"«»“”]*[\w/=&#%+~-]",  # the mark after a link ends the sentence
        r"(?:(?i:www)\.|mailto:)[^\s<>\"«»“”]*[\w/=&#%+~-]",
        r"(?<![\w.+-])[\w.+-]+@\w[\w-]*(?:\.[\w-]+)+",
        rf"(?<![\w.@/\\-])(?:[\w.-]++/)*[\w-]+(?:\.[\w-]+)*\.(?:{'|'.join(_ENDINGS)})(?![\w-]|\.\w)"
        r"(?:/[^\s<>\"«»“”]*[\w/])?",
    ]
)
CODE = "|".join(
    [
        r"`[^`\n]+`",
        r"\{\w{1,40}, ?(?:plural|select(?:ordinal)?),(?:[^{}\n]|\{[^{}\n]{0,200}\}){1,400}\}",  # ICU messages
        r"\{\{[^{}\n]{0,80}\}\}|\{%[^{}\n]{0,80}%\}|\$?\{[^{}\n]{0,80}\}|\$\([^()\s]{1,40}\)",
        r"\$[A-Za-z_]\w*\$?",
        r"%\(\w+\)[-+0#]?\d*(?:\.\d+)?[a-zA-Z]",
        r"(?<![\w%])%(?:\d{1,2}\$)?[-+0#]?\d*(?:\.\d+)?(?:l{0,2}[diuoxXfFeEgGcrsap@])(?![A-Za-zÀ-ÿ])",
        r"%[A-Za-z_]\w*%",
        r"</?[A-Za-z!?][^<>\n]{0,200}>|<%?[A-Za-z_][\w .-]{0,40}%?>",
        r"\[(?=[A-Z]*[0-9_])[A-Z0-9_]++\]|\[\[[^\[\]\n]{1,80}\]\]",
        r"!?\[(?=[^\[\]\n]{1,200}\]\()|\]\([^()\s]+\)",  # around the text of a link in Markdown
        r"&(?:#\d{1,7}|#x[\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,30});",
        r"(?<![\w:]):(?=[0-9_+-]*[a-z])[a-z0-9_+-]++:(?![\w:])",  # :emoji_code:
        r"(?<!\S):[a-z]++_[a-z_]++(?![\w:])",  # :user_name
        r"(?<!\S)[<>]=?(?=\s|\d|$)",  # less and more
        r"@@?[A-Za-z_][\w.-]*\w@@?|@[\w-]*[A-Za-z_][\w-]*(?:/[\w-]+)*",
        r"(?<![\w&#])#[^\W\d]\w*|(?<![\w&#])#\d+\b",
        r"(?<![\w-])--?[A-Za-z](?:[\w-]*\w)?(?:=[^\s,;.]+)?(?![\w'’])",  # options of a command
        r"(?<![\w/\\.])(?:~|\.{1,2})?(?:/[\w.+@%-]*\w)+/?(?!\w)",  # paths
        r"(?<!\w)[A-Za-z]:\\(?:[\w.()-]++(?: [\w.()-]++){0,3}\\)*[\w.-]*\w|(?<![\w\\])\\\\?[\w.-]+(?:\\[\w.-]+)+",
        r"(?<![\w.-])[\w.]++\(\)",  # a function
        r"(?:Ctrl|Alt|Shift|Cmd|Command|Option|Maj|Win)(?:\+[\w-]+)+",
        r"\?{4,}|!{4,}|\.{4,}",
        r"\*\*\*?|__+|~~|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|\|\||\\[ntr](?![a-z])",
    ]
)
IDENTIFIER = "|".join(
    [
        r"(?<![\w.-])v?\d+(?:\.\d+)+(?:-?(?:rc|alpha|beta|dev|post|b|a)\.?\d*|\.x|\+[\w.]+)(?!\w)",
        r"(?<![\w.-])v\d+(?:\.\d+)*(?![\w])",
        r"(?<!\w)0x[\da-fA-F]+(?!\w)",
        r"(?<![\w-])[\da-fA-F]{8}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{4}-[\da-fA-F]{12}(?![\w-])",
        r"(?<![\w-])(?=[\da-f]*[a-f])(?=[\da-f]*\d[a-f]*\d)[\da-f]{7,64}(?![\w-])",
        r"(?<![\w-])[A-Z]{1,6}-?\d\w*+(?:-[A-Z\d]+)*+(?![\w-])",  # COVID-19, A380, INV-2024-07
        r"(?<![\w-])[A-Za-z]++\d[A-Za-z\d]*+(?:-[A-Za-z\d]+)*(?![\w-])",  # mp3, utf8
        r"(?<![\w-])(?:[a-z]{2,5}-\d+|x86[-_]64)(?![\w-])",  # utf-8
        r"(?<![\w-])(?=\w*[^\W_]_[^\W_])\w++(?![\w-])",  # snake_case
        r"(?<![\w.-])[a-z_]{2,}+(?:\.[a-z_]{2,}+\w*+)++(?![\w.])",  # color.ui
        r"(?<![\w'’-])(?=[^\W\d_]*[a-z][A-Z])[^\W\d_]++(?![\w-])",  # camelCase, YouTube
    ]
)

LITERAL = r"(?<![^\s(])['\"“«]\s?[a-z](?:[\w-]*[a-z0-9])\s?['\"”»](?![\w'’])"
"""A word of small letters in quotes, which is a literal where TECHNICAL stands before it."""

TECHNICAL = (
    r"(?i:\b(?:options?|values?|fields?|keys?|parameters?|arguments?|flags?|variables?|attributes?|propert(?:y|ies)|"
    r"settings?|sets?|types?|enter|commands?|functions?|methods?|columns?|returns?|valeurs?|champs?|clés?|paramètres?|"
    r"arguments?|attributs?|propriétés?|réglez|définissez|définir|tape[rz]|saisissez|commandes?|fonctions?|méthodes?|"
    r"colonnes?|renvoie))\b"
)

"""The characters that the networks of these tests read, about those of a real translator."""

import string

KNOWN = set(map(chr, range(33, 127))) - set(string.ascii_uppercase)
KNOWN |= set("°àáâãäçèéêëíîïñóôöùúûüčłœš–“”•€")

LETTERS = "".join(sorted(filter(str.isalpha, KNOWN)))

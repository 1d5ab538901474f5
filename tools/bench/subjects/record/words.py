# Reads files, counts words, and packs and unpacks what it has counted: some computing, some hundred files.
import collections
import hashlib
import json
import os
import re

total = 0
for folder, _, files in os.walk('/usr/include/linux'):
    for file in files:
        with open(os.path.join(folder, file), 'rb') as opened:
            total += len(opened.read())
with open('/usr/include/linux/pci_regs.h') as opened:
    counts = collections.Counter(re.findall(r'\w+', opened.read()))
for _ in range(200):
    again = json.loads(json.dumps({word: [n] * 3 for word, n in counts.items()}))
    total += len(hashlib.sha256(repr(again).encode()).hexdigest())
print(total)

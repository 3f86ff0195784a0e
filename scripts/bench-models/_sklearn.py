"""scikit-learn beside Baton: TF-IDF (words 1-2, characters 2-4 or 2-5) and logistic regression, on the same splits.

`python3 _sklearn.py task.json`. task: kind, texts, splits [{train, test, file}], and
  kind "heads": hand (standardised features by row), labels {name: [0, 1]}     -> each file: {name: [probability]}
  kind "classes": labels [text], others [text] (out of scope)                  -> each file: {right: [0, 1], confidence, others}
A file is written whole as soon as its split is done.
"""
import json
import os
import sys

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler


def vectors(train, tests, longest, least):
    made = []
    for options in (dict(ngram_range=(1, 2)), dict(analyzer="char_wb", ngram_range=(2, longest))):
        vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=least, **options)
        made.append([vectorizer.fit_transform(train), *[vectorizer.transform(test) for test in tests]])
    return [hstack(pair).tocsr() for pair in zip(*made)]


def heads(task):
    texts, hand = task["texts"], np.array(task["hand"], float)
    for split in task["splits"]:
        train, test = split["train"], split["test"]
        fit, seen = vectors([texts[i] for i in train], [[texts[i] for i in test]], 4, 2)
        scaler = StandardScaler().fit(hand[train])
        fit = hstack([fit, csr_matrix(scaler.transform(hand[train]))]).tocsr()
        seen = hstack([seen, csr_matrix(scaler.transform(hand[test]))]).tocsr()
        yield {
            name: LogisticRegression(max_iter=1000).fit(fit, np.array(labels)[train]).predict_proba(seen)[:, 1].tolist()
            for name, labels in task["labels"].items()
        }


def classes(task):
    texts, labels, others = task["texts"], np.array(task["labels"]), task["others"]
    for split in task["splits"]:
        train, test = split["train"], split["test"]
        fit, seen, *rest = vectors([texts[i] for i in train], [[texts[i] for i in test]] + ([others] if others else []), 5, 1)
        model = LogisticRegression(C=10, max_iter=300).fit(fit, labels[train])
        said = model.predict_proba(seen)
        yield {
            "right": (model.classes_[said.argmax(1)] == labels[test]).astype(int).tolist(),
            "confidence": said.max(1).tolist(),
            "others": model.predict_proba(rest[0]).max(1).tolist() if rest else [],
        }


with open(sys.argv[1]) as given:
    task = json.load(given)
for split, made in zip(task["splits"], {"heads": heads, "classes": classes}[task["kind"]](task)):
    with open(split["file"] + ".part", "w") as part:
        json.dump(made, part)
    os.replace(split["file"] + ".part", split["file"])

"""What a figure holds, taken out of it; and the points of a sweep."""


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def line(axis, label):
    (found,) = [found for found in axis.lines if found.get_label().startswith(label)]
    return found


def title(figure):
    return figure._suptitle.get_text()


def point(value, score, seed=0, **more):
    ground = {"parameter": "alpha", "scenario": "arousal from audio", "score_name": "ccc", "simulated": False}
    return {**ground, "value": value, "seed": seed, "score": score, **more}

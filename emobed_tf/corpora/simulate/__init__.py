"""Simulated packages in the real on-disk forms of RECOLA and OMG-Emotion: something to run and to test on.

Neither corpus can be downloaded, so these stand in for their files. They are not a result of any kind, and nothing
that is measured on them tells how a method fares on real recordings.

What is modelled (RECOLA). Arousal (skewed) and valence are smooth, correlated processes with time constants of a few
seconds. Audio tells more of arousal, and only while someone speaks; video tells more of valence, and loses the face
now and then (rows of zeros). Each modality shows the emotion besides a process of its own, which no amount of data
removes; people differ in offset and gain, partitions a little. Many columns are linear and non-linear mixtures of a
few sources: mean and deviation over the windows that the challenge tuned per target, with repeated rows at the edges.
Six raters follow with lags of 1.5 to 3.5 s, gains and biases of their own and errors that grow where the signal is
hard to read; the gold standard is computed from what they wrote.

What audio and video share is a setting, `transfer`:

- `helps`: both show the same emotion, that of the gold standard.
- `none`: video shows the emotion of another recording of its partition. The layout has one gold standard for all
  modalities, so what it says of the video are labels that belong to another recording: there is nothing in video to
  learn from them, and nothing that it could teach audio.
- `hurts`: video shows the opposite of the emotion. A reading of the video that was learnt on `helps` is wrong with the
  sign turned. A network with an encoder of its own for each modality can learn the opposite reading just as well:
  this hurts what carries a reading over, not what learns it anew.

How much one modality could teach another, as a number from 0 to 1, is a setting of a third world: two feature tables,
see `tables`, which are in no corpus' form.

How it was calibrated. On the scores of a monomodal recurrent network and of a ridge regression alone, so that they
are credible and leave room; never on what a crossmodal method gains. Whether one gains here is a property of this
model. At the default size and a label delay of 2.4 s, two GRU layers of 64 reach a development CCC of about .6 for
arousal from audio, .5 to .6 for valence from video, .2 to .4 the other way round; without the delay about .25 less.

What it can't tell. Independent points of the emotion are about 6 s apart: one minute holds about ten, nine recordings
about ninety, so that a score moves by a tenth and more from seed to seed, and a difference between two systems is
worth nothing without several seeds. There are no words, no turns between two people and no drift of raters over
minutes, and real errors are not Gaussian.
"""

from emobed_tf.corpora.files import MARKER
from emobed_tf.corpora.simulate.omg import simulate_omg
from emobed_tf.corpora.simulate.recola import simulate_recola
from emobed_tf.corpora.simulate.tables import simulate_tables

__all__ = ["MARKER", "simulate_omg", "simulate_recola", "simulate_tables"]

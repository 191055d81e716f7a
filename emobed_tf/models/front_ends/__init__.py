"""Front ends: from samples of a waveform to what an encoder reads, frame by frame; `registry` knows them by name."""

// Passes on what the microphone hears, in the browser's thread for sound: the mean of all channels, in larger blocks.

const SIZE = 1024; // samples

registerProcessor(
  "recorder",
  class extends AudioWorkletProcessor {
    constructor() {
      super();
      this.block = new Float32Array(SIZE);
      this.filled = 0;
    }

    process([channels]) {
      if (!channels.length) return true;
      for (let k = 0; k < channels[0].length; k += 1) {
        this.block[this.filled] = channels.reduce((sum, one) => sum + one[k], 0) / channels.length;
        this.filled += 1;
        if (this.filled === SIZE) {
          this.port.postMessage(this.block.slice());
          this.filled = 0;
        }
      }
      return true;
    }
  },
);

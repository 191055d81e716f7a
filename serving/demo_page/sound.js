// Sound as samples: one channel of 16-bit numbers at the model's rate, from a file or from the microphone.

const FULL_SCALE = 32768;

const asIntegers = (samples) =>
  Int16Array.from(samples, (x) => Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, Math.round(x * FULL_SCALE))));

export async function decode(file, rate) {
  const context = new OfflineAudioContext(1, 1, rate); // what it decodes has its own rate afterwards
  let sound;
  try {
    sound = await context.decodeAudioData(await file.arrayBuffer());
  } catch {
    throw new Error(`${file.name}: this browser finds no sound in it.`);
  }
  const channels = Array.from({ length: sound.numberOfChannels }, (_, k) => sound.getChannelData(k));
  return asIntegers(channels[0].map((_, k) => channels.reduce((sum, one) => sum + one[k], 0) / channels.length));
}

export class Microphone {
  constructor(context, stream) {
    this.context = context;
    this.stream = stream;
  }

  // Calls `hear` with each block of samples until `close`.
  static async open(rate, hear) {
    if (!navigator.mediaDevices) {
      throw new Error("Browsers give the microphone only to pages from this machine (localhost) or over HTTPS.");
    }
    const plain = { channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: plain });
    } catch (error) {
      throw new Error(error.name === "NotAllowedError" ? "The microphone is not allowed." : "There is no microphone.");
    }
    const microphone = new Microphone(new AudioContext({ sampleRate: rate }), stream);
    try {
      await microphone.listen(hear);
    } catch {
      microphone.close();
      throw new Error(`This browser doesn't give sound at ${rate} Hz; choose a recording, or another browser.`);
    }
    return microphone;
  }

  async listen(hear) {
    await this.context.audioWorklet.addModule(new URL("recorder.js", import.meta.url));
    const recorder = new AudioWorkletNode(this.context, "recorder");
    recorder.port.onmessage = ({ data }) => hear(asIntegers(data));
    // Only what is connected is asked for samples. What comes out of it is silence.
    this.context.createMediaStreamSource(this.stream).connect(recorder).connect(this.context.destination);
    await this.context.resume();
  }

  close() {
    this.stream.getTracks().forEach((track) => track.stop());
    this.context.close();
  }
}

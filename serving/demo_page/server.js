// What the page asks of the server: which models there are, what is known of one, and what it says of a sound.

const HEADER = 44; // bytes of a WAV file before its samples

async function ask(url, body) {
  const request = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(url, request);
  } catch {
    throw new Error("The server can't be reached.");
  }
  const answer = await response.json().catch(() => ({ error: `status ${response.status}, and no JSON` }));
  if (!response.ok) throw new Error(`The server refuses: ${answer.error}`);
  return answer;
}

function base64(bytes) {
  let text = "";
  for (let k = 0; k < bytes.length; k += 0x8000) text += String.fromCharCode(...bytes.subarray(k, k + 0x8000));
  return { b64: btoa(text) };
}

const bytesOf = (samples) => {
  const view = new DataView(new ArrayBuffer(2 * samples.length));
  samples.forEach((sample, k) => view.setInt16(2 * k, sample, true));
  return new Uint8Array(view.buffer);
};

function wavOf(samples, rate) {
  const bytes = new Uint8Array(HEADER + 2 * samples.length);
  const view = new DataView(bytes.buffer);
  const write = (at, text) => [...text].forEach((letter, k) => view.setUint8(at + k, letter.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, HEADER - 8 + 2 * samples.length, true);
  write(8, "WAVEfmt ");
  [[16, 16, 4], [20, 1, 2], [22, 1, 2], [24, rate, 4], [28, 2 * rate, 4], [32, 2, 2], [34, 16, 2]].forEach(
    ([at, value, size]) => (size === 4 ? view.setUint32(at, value, true) : view.setUint16(at, value, true)),
  );
  write(36, "data");
  view.setUint32(40, 2 * samples.length, true);
  bytes.set(bytesOf(samples), HEADER);
  return bytes;
}

const filled = ([size, ...rest], value) =>
  Array.from({ length: size }, () => (rest.length ? filled(rest, value) : value));

export async function listModels() {
  const { models } = await ask(new URL("demo/models", document.baseURI));
  return models.map((model) => new Model(model));
}

// One version of a model. Its answers are points: a time in seconds, and a number for each of `names`.
export class Model {
  constructor({ name, version, signatures }) {
    this.name = name;
    this.version = version;
    this.hears = signatures.includes("wav");
    this.streams = signatures.includes("stream_pcm");
    this.url = new URL(`v1/models/${encodeURIComponent(name)}/versions/${version}:predict`, document.baseURI);
  }

  async load() {
    this.manifest ??= JSON.parse(await this.predict("manifest", ""));
    this.names = this.manifest.classes ?? [this.manifest.dimension];
    this.rate = this.manifest.waveform?.sample_rate;
    this.frame = this.manifest.waveform?.samples_per_frame;
    return this;
  }

  async predict(signature, instance) {
    const answer = await ask(this.url, { signature_name: signature, instances: [instance] });
    return answer.predictions[0];
  }

  // What it says of a whole sound, for a model that can't follow one.
  async hear(samples) {
    const answer = await this.predict("wav", { wav: base64(wavOf(samples, this.rate)) });
    return this.points(answer, 0, Math.max(1, Math.floor(samples.length / this.frame)));
  }

  stream() {
    return new Stream(this);
  }

  // A regression answers each frame; a classification once, after the last one.
  points(answer, first, frames) {
    const seconds = this.frame / this.rate;
    if (!this.manifest.classes) {
      return answer.prediction.map((value, k) => ({ time: (first + k) * seconds, values: [value] }));
    }
    return [{ time: (first + frames) * seconds, values: answer.probabilities }];
  }
}

// A sound as it comes. Its states travel with each piece, so that the server keeps nothing.
class Stream {
  constructor(model) {
    this.model = model;
    this.frames = 0;
    this.rest = base64(new Uint8Array());
    this.left = 0; // samples in it
    this.states = {};
    for (const { name, units, shape, begins } of model.manifest.states) {
      this.states[name] = filled(shape ?? [units], begins);
    }
  }

  async send(samples) {
    const { prediction, probabilities, rest_bytes, label, ...states } = await this.model.predict("stream_pcm", {
      pcm: base64(bytesOf(samples)),
      rest_bytes: this.rest,
      ...this.states,
    });
    const frames = Math.floor((this.left + samples.length) / this.model.frame);
    const points = this.model.points({ prediction, probabilities }, this.frames, frames);
    this.frames += frames;
    this.left += samples.length - frames * this.model.frame;
    this.rest = rest_bytes;
    this.states = states;
    return points;
  }
}

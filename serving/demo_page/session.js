// One sound on its way to a model: what has come, what was answered, and how long that took.

const LEAST = 0.2; // seconds of sound that are worth a request
const MOST = 30; // that one request takes

export class Session {
  // `tell` is called with the points of each answer, and `fail` with an error, after which nothing more is sent.
  constructor(model, tell, fail) {
    this.model = model;
    this.stream = model.streams ? model.stream() : null;
    this.tell = tell;
    this.fail = fail;
    this.blocks = [];
    this.heard = 0; // samples that have come
    this.sent = 0;
    this.times = []; // milliseconds of each request
    this.isBusy = false;
    this.running = null; // what is being sent
    this.isOver = false; // no more sound comes
    this.isClosed = false;
  }

  get waiting() {
    return (this.heard - this.sent) / this.model.rate;
  }

  get latency() {
    const sorted = [...this.times].sort((a, b) => a - b);
    return { last: this.times.at(-1), median: sorted[sorted.length >> 1], requests: sorted.length };
  }

  push(samples) {
    this.blocks.push(samples);
    this.heard += samples.length;
    if (!this.isBusy) this.running = this.send();
  }

  // No more sound comes: what is left is sent. Resolves when all is answered.
  async finish() {
    this.isOver = true;
    await this.running;
    this.running = this.send();
    await this.running;
  }

  close() {
    this.isClosed = true;
  }

  async send() {
    this.isBusy = true;
    try {
      await this.sendAll();
    } catch (error) {
      if (!this.isClosed) this.fail(error);
      this.isClosed = true;
    } finally {
      this.isBusy = false;
    }
  }

  // Samples that have to be there for the next request. What can't be followed is sent as a whole.
  get least() {
    if (!this.stream) return this.isOver ? 1 : Infinity;
    return this.isOver ? this.model.frame - this.stream.left : Math.max(this.model.frame, LEAST * this.model.rate);
  }

  async sendAll() {
    while (!this.isClosed && this.heard - this.sent >= this.least) {
      const samples = this.take(this.stream ? MOST * this.model.rate : Infinity);
      const begun = performance.now();
      const points = await (this.stream ? this.stream.send(samples) : this.model.hear(samples));
      this.times.push(performance.now() - begun);
      this.sent += samples.length;
      if (!this.isClosed) this.tell(points);
    }
  }

  take(most) {
    const length = Math.min(most, this.heard - this.sent);
    const samples = new Int16Array(length);
    for (let at = 0; at < length; ) {
      const [first] = this.blocks;
      const part = first.subarray(0, length - at);
      samples.set(part, at);
      at += part.length;
      if (part.length === first.length) this.blocks.shift();
      else this.blocks[0] = first.subarray(part.length);
    }
    return samples;
  }
}

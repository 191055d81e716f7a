// The page to try a model that hears: see index.html.

import { Chart, shown } from "./chart.js";
import { listModels } from "./server.js";
import { Session } from "./session.js";
import { decode, Microphone } from "./sound.js";

const SPOKEN = 3000; // milliseconds between two sentences for who listens to the page
const LOOK = 100; // between two looks at where the player is

const find = (id) => document.getElementById(id);
const [choice, file, player, button] = ["model", "file", "player", "microphone"].map(find);

let model = null;
let chart = null;
let session = null;
let microphone = null;
let isOpening = false; // the microphone
let samples = null; // of the recording
let timer = null;
let spoken = 0;

const isRegression = () => !model.manifest.classes;

function problem(error) {
  find("problem").textContent = error?.message ?? "";
}

function inWords({ time, values }) {
  const best = values.indexOf(Math.max(...values));
  const what = isRegression() ? `${model.names[0]} ${shown(values[0])}` : `${model.names[best]} (${shown(values[best])})`;
  return `${time.toFixed(1)} s: ${what}`;
}

function showLatency() {
  const { last, median, requests } = session.latency;
  const milliseconds = (value) => (value === undefined ? "–" : `${Math.round(value)} ms`);
  find("last").textContent = milliseconds(last);
  find("median").textContent = milliseconds(median);
  find("requests").textContent = requests;
  find("waiting").textContent = `${session.waiting.toFixed(1)} s`;
}

function showTable() {
  if (!chart || !find("numbers").open) return;
  const row = (cells, name) => {
    const line = document.createElement("tr");
    line.append(
      ...cells.map((text, k) => {
        const cell = document.createElement(k ? name : "th");
        cell.scope = name === "th" ? "col" : "row";
        cell.textContent = text;
        return cell;
      }),
    );
    return line;
  };
  const [head, body] = ["thead", "tbody"].map((name) => find("numbers").querySelector(name));
  head.replaceChildren(row(["up to second", ...model.names], "th"));
  body.replaceChildren(...chart.rows().map(([time, values]) => row([time.toFixed(1), ...values.map(shown)], "td")));
}

function hearAnswer(points) {
  chart.add(points);
  showLatency();
  const newest = points.at(-1);
  if (!newest) return;
  const words = inWords(newest);
  find("now").textContent = words;
  find("chart").setAttribute("aria-label", `${model.names.join(", ")} over time. At ${words}.`);
  if (performance.now() - spoken > SPOKEN) {
    spoken = performance.now();
    find("said").textContent = words;
  }
  showTable();
}

// Forgets the sound before, and begins with another one.
function begin() {
  session?.close();
  problem(null);
  chart = new Chart(find("chart"), find("legend"), model.names, !isRegression());
  const mine = new Session(model, hearAnswer, (error) => {
    problem(error);
    stopMicrophone();
    player.pause();
  });
  session = mine;
  if (samples) chart.end = samples.length / model.rate;
  spoken = 0;
  find("said").textContent = "";
  find("now").textContent = "Nothing heard yet.";
  showLatency();
  showTable();
}

async function end() {
  const mine = session;
  await mine.finish();
  if (mine !== session || mine.isClosed) return;
  const last = chart.points.at(-1);
  find("said").textContent = last ? `The end, at ${inWords(last)}.` : "";
  if (!last) problem(new Error(`Expected ${(1000 * model.frame) / model.rate} ms of sound or more.`));
  showLatency();
  showTable();
}

function forgetRecording() {
  clearInterval(timer);
  player.pause();
  if (player.src) URL.revokeObjectURL(player.src);
  player.removeAttribute("src");
  player.hidden = true;
  samples = null;
}

async function chooseRecording() {
  stopMicrophone();
  forgetRecording();
  const [chosen] = file.files;
  if (!chosen) return;
  begin();
  const mine = session;
  let found;
  try {
    found = await decode(chosen, model.rate);
  } catch (error) {
    problem(error);
    return;
  }
  if (mine !== session) return;
  samples = found;
  chart.end = samples.length / model.rate;
  chart.draw();
  find("said").textContent = `${chosen.name}, ${chart.end.toFixed(1)} seconds. Play it.`;
  player.src = URL.createObjectURL(chosen);
  player.hidden = false;
  if (!model.streams) {
    session.push(samples);
    await end();
  }
}

// Sends what has been played since the last look; all of it at the end.
function follow(isAtEnd) {
  if (!samples || !model.streams || session.isOver) return;
  const until = isAtEnd ? samples.length : Math.min(samples.length, Math.floor(player.currentTime * model.rate));
  if (until > session.heard) session.push(samples.subarray(session.heard, until));
  if (isAtEnd) end();
}

function stopMicrophone() {
  if (!microphone) return;
  microphone.close();
  microphone = null;
  button.textContent = "Start the microphone";
  button.classList.remove("on");
}

async function pressMicrophone() {
  if (isOpening) return;
  if (microphone) {
    stopMicrophone();
    await end();
    return;
  }
  forgetRecording();
  file.value = "";
  begin();
  const mine = session;
  isOpening = true;
  try {
    const opened = await Microphone.open(model.rate, (block) => {
      if (mine.isClosed || mine.isOver) return;
      mine.push(block);
      chart.at(mine.heard / model.rate);
    });
    if (mine !== session) {
      opened.close();
      return;
    }
    microphone = opened;
    button.textContent = "Stop the microphone";
    button.classList.add("on");
  } catch (error) {
    problem(error);
  } finally {
    isOpening = false;
  }
}

function showCard() {
  const { manifest } = model;
  const { dev, test } = manifest.scores;
  const scores = (values) =>
    values && Object.entries(values).filter(([, value]) => typeof value === "number")
      .map(([name, value]) => `${name} ${shown(value)}`).join(", ");
  const made = manifest.extraction;
  const rows = {
    name: `${model.name}, version ${model.version}`,
    "trained on": manifest.model.corpus + (manifest.simulated ? " (SIMULATED)" : ""),
    [isRegression() ? "output" : "classes"]: isRegression() ? `${manifest.dimension}, a number each ${1000 * manifest.frame_seconds} ms`
      : manifest.classes.join(", "),
    system: manifest.model.framework,
    input: `sound, ${model.rate} Hz, by the front end ${manifest.waveform.front_end}`,
    "score on development": scores(dev),
    "score on test": scores(test),
    "delay of its labels": manifest.label_delay_seconds ? `${manifest.label_delay_seconds} s` : "",
    licence: made?.licence,
    exported: manifest.created,
    commit: manifest.commit,
    versions: Object.entries(manifest.versions).map(([name, version]) => `${name} ${version}`).join(", "),
  };
  const parts = Object.entries(rows).filter(([, value]) => value).flatMap(([name, value]) => {
    const [term, text] = [document.createElement("dt"), document.createElement("dd")];
    [term.textContent, text.textContent] = [name, value];
    return [term, text];
  });
  find("card").replaceChildren(...parts);
  find("simulated").hidden = !manifest.simulated;
}

async function chooseModel(chosen) {
  stopMicrophone();
  forgetRecording();
  session?.close();
  try {
    model = await chosen.load();
  } catch (error) {
    problem(error);
    return;
  }
  begin();
  showCard();
  [file.disabled, button.disabled] = [false, !model.streams];
  find("hint").textContent = model.streams ? "" : "This model needs the whole sound: choose a recording.";
  if (file.files.length) await chooseRecording();
}

async function start() {
  const models = await listModels();
  models.forEach((one, k) => {
    const text = one.hears ? one.name : `${one.name} (takes features, not sound)`;
    choice.add(new Option(text, k));
    choice.options[k].disabled = !one.hears;
  });
  const first = models.findIndex((one) => one.hears);
  if (first < 0) {
    throw new Error("No model here takes sound. One that was trained with --front-end does.");
  }
  choice.selectedIndex = first;
  choice.disabled = false;
  choice.addEventListener("change", () => chooseModel(models[choice.value]));
  file.addEventListener("change", chooseRecording);
  button.addEventListener("click", pressMicrophone);
  find("numbers").addEventListener("toggle", showTable);
  player.addEventListener("play", () => {
    if (session.isOver && model.streams) begin(); // once more, from the beginning
    clearInterval(timer);
    timer = setInterval(() => {
      chart.at(player.currentTime);
      follow(false);
    }, LOOK);
  });
  player.addEventListener("pause", () => clearInterval(timer));
  player.addEventListener("ended", () => follow(true));
  await chooseModel(models[first]);
}

start().catch(problem);

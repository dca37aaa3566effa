import { sound } from "./preferences";

/** A short sound of two notes, made by the page itself. */
const NOTES = [
  { frequency: 660, from: 0, to: 0.12 },
  { frequency: 880, from: 0.13, to: 0.3 },
];
const LOUDNESS = 0.08;
/** Several things at once are one sound. */
const APART_MS = 2_000;

let context: AudioContext | null = null;
let last = 0;

/** Browsers let a page sound only after somebody has pressed something in it. */
function wake(): void {
  if (!("AudioContext" in window)) return;
  context ??= new AudioContext();
  if (context.state === "suspended") void context.resume().catch(() => undefined);
}

/** Lets the page sound once the reader has touched it. Returns how to undo that. */
export function allowSound(): () => void {
  document.addEventListener("pointerdown", wake, { passive: true });
  document.addEventListener("keydown", wake);
  return () => {
    document.removeEventListener("pointerdown", wake);
    document.removeEventListener("keydown", wake);
  };
}

/** Sounds, unless that is switched off or the browser forbids it. Returns whether it did. */
export function ring(): boolean {
  const now = Date.now();
  if (sound.value === "off" || context?.state !== "running" || now - last < APART_MS) return false;
  last = now;
  for (const note of NOTES) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    const begin = context.currentTime + note.from;
    const end = context.currentTime + note.to;
    tone.frequency.value = note.frequency;
    volume.gain.setValueAtTime(0, begin);
    volume.gain.linearRampToValueAtTime(LOUDNESS, begin + 0.02);
    volume.gain.linearRampToValueAtTime(0, end);
    tone.connect(volume).connect(context.destination);
    tone.start(begin);
    tone.stop(end);
  }
  return true;
}

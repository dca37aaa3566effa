import { ref, watch, type Ref } from "vue";

/** What this browser remembers for whoever works on it: look, sound, presence. */
const ROOT = "huixin.staff.";

function read(key: string): string | null {
  try {
    return window.localStorage.getItem(ROOT + key);
  } catch {
    // Storage shut by the reader's settings: nothing is remembered.
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(ROOT + key, value);
  } catch {
    // As above.
  }
}

/** A choice that is kept; what is stored and not one of the choices counts as none. */
function kept<T extends string>(key: string, choices: readonly T[], otherwise: T): Ref<T> {
  const stored = read(key) as T | null;
  const value = ref(stored && choices.includes(stored) ? stored : otherwise) as Ref<T>;
  watch(value, (now) => write(key, now), { flush: "sync" });
  return value;
}

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export const theme = kept("theme", THEMES, "system");

/** Whether something new may be heard. */
export const sound = kept("sound", ["on", "off"] as const, "on");

export const rememberedPresence = (account: number): string | null => read(`presence.${account}`);
export const rememberPresence = (account: number, presence: string): void =>
  write(`presence.${account}`, presence);

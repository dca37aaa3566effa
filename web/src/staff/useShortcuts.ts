import { onBeforeUnmount, onMounted } from "vue";

/** What a key, or two one after the other (`g q`), does. */
export type Shortcuts = Record<string, () => void>;

/** So long the second key of two is waited for. */
const SECOND_MS = 1_500;
const TYPED_IN = "input, textarea, select, [contenteditable]:not([contenteditable=false])";

/** Whether somebody is typing, or a dialog has the keyboard. */
export function busyElsewhere(target: EventTarget | null): boolean {
  if (target instanceof Element && target.closest(TYPED_IN)) return true;
  if (target instanceof Element && target.closest("[role=listbox], [role=menu]")) return true;
  // Element Plus keeps the frames of its dialogs in the page, hidden.
  const shown = (dialog: Element): boolean =>
    dialog.matches("dialog[open]") || dialog.getClientRects().length > 0;
  return [...document.querySelectorAll("dialog[open], [aria-modal=true]")].some(shown);
}

/** Reads keys into the name of a shortcut; null where it is none, or not yet. */
export class KeyReader {
  private first: { key: string; at: number } | null = null;

  constructor(private readonly names: readonly string[]) {}

  /** @param at in milliseconds, of any clock that only goes forward. */
  read(key: string, at: number): string | null {
    const begun = this.first && at - this.first.at < SECOND_MS ? this.first.key : null;
    this.first = null;
    if (begun && this.names.includes(`${begun} ${key}`)) return `${begun} ${key}`;
    if (this.names.some((name) => name.startsWith(`${key} `))) {
      this.first = { key, at };
      return null;
    }
    return this.names.includes(key) ? key : null;
  }
}

/** Keys that do something on this page, but never while typing and never with Ctrl, Alt or Meta. */
export function useShortcuts(shortcuts: Shortcuts): void {
  const reader = new KeyReader(Object.keys(shortcuts));

  function pressed(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.isComposing || event.repeat || busyElsewhere(event.target)) return;
    // With a Chinese input method on, some keys come as their full-width signs.
    const key = event.key === "？" ? "?" : event.key === "、" ? "/" : event.key;
    const name = reader.read(key.length === 1 ? key.toLowerCase() : key, event.timeStamp);
    if (name === null) return;
    event.preventDefault();
    shortcuts[name]?.();
  }

  onMounted(() => window.addEventListener("keydown", pressed));
  onBeforeUnmount(() => window.removeEventListener("keydown", pressed));
}

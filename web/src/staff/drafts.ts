import { useSession } from "./useSession";

/**
 * Words that are not sent yet, by account and conversation. They outlive a closed browser and end
 * with the logout.
 */
const ROOT = "huixin.words.";
/** What lies longer than this was given up. */
const KEPT_MS = 7 * 24 * 3_600_000;

function storage(): Storage | null {
  try {
    return window.localStorage;
  } catch {
    // Shut by the reader's settings: the words live as long as the page.
    return null;
  }
}

/** Where one conversation's words stand; `what` is `answer`, `note`, `whisper`, `heard` or `outbox`. */
export const wordsKey = (account: number, conversation: string, what: string): string =>
  `${ROOT}${account}.${conversation}.${what}`;

const inPage = new Map<string, string>();

/** The draft under a key, empty where there is none. */
export function readDraft(key: string): string {
  const held = inPage.get(key);
  if (held !== undefined) return held;
  try {
    const kept = JSON.parse(storage()?.getItem(key) ?? "null") as { text?: unknown; at?: unknown };
    const fresh = typeof kept?.at === "number" && Date.now() - kept.at < KEPT_MS;
    return fresh && typeof kept.text === "string" ? kept.text : "";
  } catch {
    // Shut, or something else stands there: begin empty.
    return "";
  }
}

export function writeDraft(key: string, text: string): void {
  if (text) inPage.set(key, text);
  else inPage.delete(key);
  try {
    if (text) storage()?.setItem(key, JSON.stringify({ text, at: Date.now() }));
    else storage()?.removeItem(key);
  } catch {
    // Full or shut: the words live in this page.
  }
}

function keysOf(account: number): string[] {
  const store = storage();
  const found: string[] = [];
  for (let index = 0; store && index < store.length; index += 1) {
    const key = store.key(index);
    if (key?.startsWith(`${ROOT}${account}.`)) found.push(key);
  }
  return found;
}

/** The conversations in which this account has answers that never reached the desk. */
export function unsentConversations(account: number): string[] {
  const end = ".outbox";
  const begin = `${ROOT}${account}.`.length;
  return keysOf(account)
    .filter((key) => key.endsWith(end))
    .map((key) => key.slice(begin, -end.length));
}

/** Forgets all that an account has written here. */
export function forgetWords(account: number): void {
  inPage.clear();
  for (const key of keysOf(account)) {
    try {
      storage()?.removeItem(key);
    } catch {
      // Shut in between: nothing more can be done.
    }
  }
}

/** Where unsent answers are kept, or null where the browser shuts it. */
export const keptStorage = storage;

const session = useSession();
session.onLeave(() => {
  const account = session.me.value?.id;
  if (account === undefined) return;
  inPage.clear();
  // A session that merely ran out says why; who comes back goes on with their words.
  queueMicrotask(() => {
    if (!session.farewell.value) forgetWords(account);
  });
});

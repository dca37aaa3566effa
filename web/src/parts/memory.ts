/** What this browser remembers: a display name, the way back, and an invitation's successor. */
const NAME = "huixin.name";
const ROOM = "huixin.room";

const RENEWED = "huixin.renewed.";

function read(key: string, place: "localStorage" | "sessionStorage" = "localStorage"): string | null {
  try {
    return window[place].getItem(key);
  } catch {
    // Storage shut by the reader's settings: we simply do not remember.
    return null;
  }
}

function write(
  key: string,
  value: string,
  place: "localStorage" | "sessionStorage" = "localStorage",
): void {
  try {
    window[place].setItem(key, value);
  } catch {
    // As above.
  }
}

/** The display name given once; empty for a guest, null when it was never asked. */
export const rememberedName = (): string | null => read(NAME);
export const rememberName = (name: string): void => write(NAME, name);

/** The room visited last, for the way back from a private chat. */
export const rememberedRoom = (): string | null => read(ROOM);
export const rememberRoom = (room: string): void => write(ROOM, room);

/** The invitation that took the place of an expired one, for as long as the tab lives. */
export const successorOf = (token: string): string | null => read(RENEWED + token, "sessionStorage");
export const rememberSuccessor = (token: string, successor: string): void =>
  write(RENEWED + token, successor, "sessionStorage");

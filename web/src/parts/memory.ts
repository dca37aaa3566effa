/** What this browser remembers between visits: nothing but a display name and the way back. */
const NAME = "huixin.name";
const ROOM = "huixin.room";

function read(key: string): string | null {
  try {
    return window.localStorage.getItem(key);
  } catch {
    // Storage shut by the reader's settings: we simply do not remember.
    return null;
  }
}

function write(key: string, value: string): void {
  try {
    window.localStorage.setItem(key, value);
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

/** The staff calls of the lists and of one conversation's words. */
import { ApiError, staffRequest, staffUpload, type SentPicture } from "./api";
import type { Canned, Colleague, Detail, Label, Lists, Note, Row, Suggestion, Warning } from "./staff";

const part = encodeURIComponent;
const at = (conversation: string, rest: string): string =>
  `/conversations/${part(conversation)}/${rest}`;

export interface Wanted {
  q?: string;
  label?: number | null;
  state?: "open" | "closed";
  page?: number;
}

export const staffApi = {
  lists: () => staffRequest<Lists>("GET", "/conversations"),
  search(wanted: Wanted) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(wanted)) {
      if (value !== undefined && value !== null && value !== "") query.set(name, String(value));
    }
    return staffRequest<{ rows: Row[]; more: boolean }>("GET", `/search?${query}`);
  },
  colleagues: () => staffRequest<{ colleagues: Colleague[] }>("GET", "/colleagues"),
  labels: () => staffRequest<{ labels: Label[] }>("GET", "/labels"),

  open: (id: string) => staffRequest<Detail>("GET", `/conversations/${part(id)}`),
  take: (id: string) => staffRequest<{ owner: string }>("POST", at(id, "take"), {}),
  stepIn: (id: string) => staffRequest<{ owner: string }>("POST", at(id, "step_in"), {}),
  /** @param confirmed the warnings were read, and it goes out all the same. */
  answer: (id: string, messageId: string, text: string, confirmed = false) =>
    staffRequest<{ id: string; repeated: boolean }>("POST", at(id, "answer"), {
      id: messageId,
      text,
      ...(confirmed ? { confirmed } : {}),
    }),
  sendPicture: (
    id: string,
    clientId: string,
    content: Blob,
    progress: (share: number) => void,
  ): Promise<SentPicture> =>
    staffUpload(`${at(id, "pictures")}?client_id=${part(clientId)}`, content, progress),
  note: (id: string, noteId: string, text: string, mentions: number[]) =>
    staffRequest<Note>("POST", at(id, "notes"), { id: noteId, text, mentions }),
  whisper: (id: string, noteId: string, text: string) =>
    staffRequest<Note>("POST", at(id, "whisper"), { id: noteId, text }),
  heard: (id: string, messageId: string, text: string) =>
    staffRequest<unknown>("POST", at(id, "heard"), { id: messageId, text }),
  suggestions: (id: string) =>
    staffRequest<{ suggestions: Suggestion[] }>("GET", at(id, "suggestions")),
  call: (id: string) => staffRequest<{ url: string }>("POST", at(id, "call"), {}),
  canned: (id: string) =>
    staffRequest<{ replies: Canned[] }>("GET", `/canned?conversation=${part(id)}`),
  cannedUsed: (id: number) => staffRequest<void>("POST", `/canned/${id}/used`, {}),
};

/** The warnings that an answer was held back for; null where it was refused for something else. */
export function warningsOf(error: ApiError): Warning[] | null {
  if (error.status !== 409 || error.code !== "warned") return null;
  const found = (error.answer as { warnings?: unknown } | null)?.warnings;
  return Array.isArray(found) ? (found as Warning[]) : null;
}

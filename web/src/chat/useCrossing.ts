import { onScopeDispose, ref } from "vue";
import { ApiError, customerApi } from "../wire/api";
import type { CrossingCode } from "../wire/contract";

/** How often the desk is asked whether the code was scanned. */
const LOOK_MS = 2_000;

export type CrossingState = "closed" | "asking" | "shown" | "used" | "expired" | "failed";

/**
 * One QR code that leads into WeChat, from asking for it until it was scanned.
 *
 * @param ask gets a code from the desk.
 * @param arrived is told once, with the private conversation that WeChat reads now.
 */
export function useCrossing(
  ask: () => Promise<CrossingCode>,
  arrived: (conversation: string) => void,
) {
  const state = ref<CrossingState>("closed");
  const failure = ref("");
  /** Where the browser finds the picture. */
  const picture = ref("");
  const conversation = ref("");
  let looking: ReturnType<typeof setTimeout> | undefined;
  // What comes for a code that was left behind is passed over.
  let turn = 0;

  function leave(): void {
    turn += 1;
    clearTimeout(looking);
    if (picture.value) URL.revokeObjectURL(picture.value);
    picture.value = "";
  }

  async function begin(): Promise<void> {
    leave();
    const mine = turn;
    state.value = "asking";
    failure.value = "";
    try {
      const code = await ask();
      if (mine !== turn) return;
      picture.value = URL.createObjectURL(new Blob([code.svg], { type: "image/svg+xml" }));
      state.value = "shown";
      lookSoon(code.id, mine);
    } catch (error) {
      if (mine !== turn) return;
      if (!(error instanceof ApiError)) throw error;
      failure.value = error.message;
      state.value = "failed";
    }
  }

  function lookSoon(id: string, mine: number): void {
    looking = setTimeout(() => void look(id, mine), LOOK_MS);
  }

  async function look(id: string, mine: number): Promise<void> {
    try {
      const found = await customerApi.crossing(id);
      if (mine !== turn) return;
      if (found.state === "used" && found.conversation) {
        conversation.value = found.conversation;
        leave();
        state.value = "used";
        arrived(found.conversation);
        return;
      }
      if (found.state === "expired") {
        leave();
        state.value = "expired";
        return;
      }
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // The code is as good as before: only this look has failed.
    }
    if (mine === turn) lookSoon(id, mine);
  }

  function end(): void {
    leave();
    state.value = "closed";
  }

  onScopeDispose(leave);

  return { state, failure, picture, conversation, begin, end };
}

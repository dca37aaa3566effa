import { ref } from "vue";
import { ApiError } from "../wire/api";
import { freshId } from "../wire/ids";
import { useSession } from "./useSession";

/**
 * One thing that a press of a button does at the desk: not twice while it is under way, and told
 * where it happened when it fails.
 */
export function useDeed() {
  const session = useSession();
  const busy = ref(false);
  /** What went wrong, in the desk's sentence. */
  const failure = ref("");
  /** The desk's short name of what went wrong. */
  const code = ref("");
  let held = freshId();

  /** Does it; returns what the desk answered, or null where it failed or is under way. */
  async function run<T>(work: (id: string) => Promise<T>): Promise<{ answer: T } | null> {
    if (busy.value) return null;
    busy.value = true;
    failure.value = "";
    code.value = "";
    try {
      const answer = await work(held);
      held = freshId();
      return { answer };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      session.refused(error);
      failure.value = error.message;
      code.value = error.code;
      // Without an answer it may have been done all the same: tried again, it is the same deed.
      if (error.status !== 0 && error.status < 500) held = freshId();
      return null;
    } finally {
      busy.value = false;
    }
  }

  function clear(): void {
    failure.value = "";
    code.value = "";
  }

  /** What is meant now is another deed than before. */
  function anew(): void {
    clear();
    held = freshId();
  }

  return { busy, failure, code, run, clear, anew };
}

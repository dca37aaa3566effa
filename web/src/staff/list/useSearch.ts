import { onScopeDispose, ref, shallowRef } from "vue";
import { ApiError } from "../../wire/api";
import type { Row } from "../../wire/staff";
import { staffApi, type Wanted } from "../../wire/staffApi";
import { useSession } from "../useSession";

/** Letters that come faster than this are one search. */
const PAUSE_MS = 300;

/** A search at the desk: the latest one asked wins, and more of it comes page by page. */
export function useSearch() {
  const session = useSession();
  const rows = shallowRef<readonly Row[]>([]);
  const more = ref(false);
  const busy = ref(false);
  const failure = ref("");
  let asked = 0;
  let page = 0;
  let wanted: Wanted = {};
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function fetchPage(): Promise<void> {
    const mine = (asked += 1);
    busy.value = true;
    failure.value = "";
    try {
      const answer = await staffApi.search({ ...wanted, page });
      if (mine !== asked) return;
      const known = new Set(page === 0 ? [] : rows.value.map((row) => row.id));
      const fresh = answer.rows.filter((row) => !known.has(row.id));
      rows.value = page === 0 ? fresh : [...rows.value, ...fresh];
      more.value = answer.more;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (mine === asked && !session.refused(error)) failure.value = error.message;
    } finally {
      if (mine === asked) busy.value = false;
    }
  }

  /** Asks for the first page, once no more letters come. */
  function ask(next: Wanted, pause = PAUSE_MS): void {
    clearTimeout(timer);
    wanted = next;
    page = 0;
    busy.value = true;
    timer = setTimeout(() => void fetchPage(), pause);
  }

  function further(): void {
    if (busy.value || !more.value) return;
    page += 1;
    void fetchPage();
  }

  function clear(): void {
    clearTimeout(timer);
    asked += 1;
    rows.value = [];
    more.value = busy.value = false;
    failure.value = "";
  }

  onScopeDispose(clear);

  return { rows, more, busy, failure, ask, further, clear };
}

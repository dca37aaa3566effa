import type { Detail, Row } from "../src/wire/staff";

export const AT = "2026-03-01T08:00:00+00:00";

export function row(parts: Partial<Row> = {}): Row {
  return {
    id: "c1",
    business: "岚庭酒店",
    business_id: "hotel",
    industry: "hotel",
    channel: "web",
    customer: "周砚",
    visibility: "private",
    matter: "房间没有打扫",
    case: "k1",
    stage: "person",
    anger: 2,
    peak: 2,
    trend: "steady",
    safety: false,
    priority: 10,
    why: "生气",
    owner: "queue",
    owner_name: "",
    reason: "asked",
    waiting_since: AT,
    awaiting_since: AT,
    front: false,
    snoozed_until: null,
    closed_at: null,
    last: "给我转人工",
    last_at: AT,
    unread: 0,
    labels: [],
    clock: null,
    masked: false,
    ...parts,
  };
}

export function detail(parts: Partial<Detail> = {}): Detail {
  return {
    conversation: row(),
    case: null,
    summary: "",
    anger: [],
    customer: { name: "周砚", since: AT, proved: false, channel: "web" },
    order: null,
    earlier: [],
    clocks: [],
    notes: [],
    labels: [],
    requests: [],
    kinds: [],
    outcomes: [],
    lesson: null,
    stages: [],
    looking: [],
    quota: null,
    held: [],
    undelivered: [],
    unsure: [],
    public: [],
    private: [],
    seq: 0,
    ...parts,
  };
}

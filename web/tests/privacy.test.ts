import { describe, expect, it } from "vitest";
import { countWords, daysLeft, dueWords, keptRows, stateWords } from "../src/staff/privacy/standing";
import type { DataRequest } from "../src/wire/privacy";

const NOW = Date.parse("2026-11-22T04:00:00Z");

function request(changes: Partial<DataRequest>): DataRequest {
  return {
    id: "d1",
    business: "lanting",
    kind: "erase",
    state: "open",
    asked_by: "customer",
    asked_at: "2026-11-22T04:00:00Z",
    due_at: "2026-12-07T04:00:00Z",
    settled_at: null,
    decided_by: "",
    reason: "",
    waits: false,
    conversation: null,
    counts: {},
    ...changes,
  };
}

describe("what was asked about somebody's data", () => {
  it("says how long there is left", () => {
    expect(dueWords("2026-12-07T04:00:00Z", NOW)).toBe("还有15天");
    expect(dueWords("2026-11-22T03:00:00Z", NOW)).toBe("今天到期");
    expect(dueWords("2026-11-19T04:00:00Z", NOW)).toBe("过期3天");
    expect(daysLeft("2026-11-23T04:00:00Z", NOW)).toBe(1);
  });

  it("says how it stands", () => {
    expect(stateWords(request({}))).toBe("等处理");
    expect(stateWords(request({ waits: true }))).toBe("等补救办完");
    expect(stateWords(request({ state: "clearing" }))).toBe("已删除，正在清理文件");
    expect(stateWords(request({ state: "refused", reason: "账没有结清" }))).toBe("没有删：账没有结清");
    expect(stateWords(request({ kind: "export", state: "done" }))).toBe("已导出");
  });

  it("counts by what people know, and the rest together", () => {
    expect(countWords({ conversations: 2, inbox: 7, wechat_sends: 3, said: 1 })).toBe(
      "会话2，顾客的话7，其他4",
    );
    expect(countWords({})).toBe("");
  });

  it("says for how long what is kept, and what stays", () => {
    const rows = keptRows({
      conversations_days: 1095,
      pictures_days: 0,
      logs_days: 180,
      audit_days: 1095,
      wechat_days: 180,
      trackers_days: 180,
    });
    expect(rows[0]?.long).toBe("1095天");
    expect(rows[1]?.long).toBe("一直保留");
  });
});

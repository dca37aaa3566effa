/** What the desk's short names are called on the staff page. */
const REASONS: Record<string, string> = {
  safety: "涉及人身安全",
  asked: "顾客要求人工",
  escalation: "顾客表示要向外部投诉",
  fury: "顾客盛怒",
  unknown: "机器人判断不了是什么事",
  refused: "顾客没有接受方案",
  beyond_authority: "超出机器人的权限",
  not_understood: "机器人没听懂",
  proof_limit: "核实订单的次数用完",
  no_order: "顾客不愿提供订单号",
  second_matter: "顾客还有另一件事",
  not_as_promised: "顾客说没有按方案办到",
  reopened: "结案后又打开",
  changed_mind: "顾客接受后又改了主意",
  late: "答应的时间过了",
  repeated: "这个订单已经补救过",
  remedy_late: "订单系统一直办不成",
  remedy_refused: "订单系统办不了",
  remedy_failed: "答应的补救没有办成",
  follow_up: "回访时顾客不满意",
  offer_gone: "方案在接受时已经变了",
  alleged: "顾客指称的事还没有查实",
  no_evidence: "要看照片，顾客没有提供",
  budget: "心意的预算不够了",
  error: "机器人出错",
  silent: "同事迟迟没有回复",
  transfer: "同事转回排队",
};

const STAGES: Record<string, string> = {
  public: "公开留言",
  hearing: "了解情况",
  offered: "已给方案",
  agreed: "已接受方案",
  closed: "已结束",
  person: "等人工",
};

const FACTS: Record<string, string> = {
  keywords: "顾客原话",
  order_number: "订单号（顾客报的）",
  phone_last4: "手机尾号（顾客报的）",
  item: "商品",
  evidence: "照片",
  wish: "顾客想要的形式",
  fault: "责任",
  finding: "认定",
  harm: "影响",
  stays_public: "顾客想在公开场合谈",
  room_number: "房号",
  date: "日期",
};

/** The words of facts that have names for values. */
const VALUES: Record<string, Record<string, string>> = {
  fault: { ours: "我们的责任", third_party: "第三方的责任", unclear: "还不清楚", customer: "顾客的责任" },
  finding: { none: "没有指称", alleged: "顾客指称，未查实", confirmed: "已经查实" },
  harm: { slight: "带来不便", plans: "打乱安排", loss: "有损失", injury: "伤到人" },
  evidence: { asked: "已请顾客发来", photo: "顾客发来了", declined: "顾客说没有", none: "没有" },
  wish: {
    refund: "退款",
    exchange: "换货",
    resend: "补寄",
    voucher: "代金券",
    points: "积分",
    waiver: "减免费用",
  },
};

/** The facts that only staff set, in the order in which they are asked. */
export const STAFF_FACTS = ["fault", "finding", "harm"] as const;

const AUTHORITIES: Record<string, string> = {
  bot: "机器人可以直接给",
  agent: "客服可以决定",
  manager: "要经理决定",
};

const NO_ADVICE: Record<string, string> = {
  no_case: "还没有案子，没有建议。",
  no_order: "订单还没有核实，核实以后才有建议。",
  order_gone: "订单系统里找不到这个订单，没有建议。",
  orders_away: "订单系统暂时没有回答，现在给不出建议。",
  no_matter: "还不清楚是什么事，没有建议。",
  no_item: "订单里不止一样东西，还不知道是哪一样，没有建议。",
  no_policy: "政策里没有这件事的规则，没有建议。",
};

const OUTCOMES: Record<string, string> = {
  accepted: "接受了方案",
  thanked: "已致谢",
  solved: "问题已解决",
  compensated: "已补偿，顾客接受",
  explained: "已说明，顾客理解",
  no_fault: "查明不是我方责任",
  unreachable: "联系不上顾客",
  withdrawn: "顾客撤回",
  duplicate: "与另一个案子重复",
  referred: "已转有关部门或法律途径",
};

const OFFER_STATES: Record<string, string> = {
  open: "等顾客决定",
  accepted: "顾客已接受",
  refused: "顾客没有接受",
  replaced: "已换成新方案",
};

const TRENDS: Record<string, string> = { rising: "在上升", steady: "持平", falling: "在缓和" };

const ANGER = ["平静", "不满", "生气", "愤怒"] as const;

/** The highest priority, given to safety alone. */
export const SAFETY_PRIORITY = 4;

export const reasonWords = (reason: string): string => REASONS[reason] ?? reason;
export const stageWords = (stage: string): string => STAGES[stage] ?? stage;
export const factName = (fact: string): string => FACTS[fact] ?? fact;
/** A value of a fact in words. */
export function factWords(fact: string, value: unknown): string {
  if (value === true) return "是";
  if (value === false) return "否";
  if (Array.isArray(value)) return value.map((one) => factWords(fact, one)).join("、");
  if (typeof value === "string") return VALUES[fact]?.[value] ?? value;
  return typeof value === "number" ? String(value) : JSON.stringify(value);
}

/** The values of a fact with their words. */
export const factChoices = (fact: string): [string, string][] => Object.entries(VALUES[fact] ?? {});

/** A sum in fen as yuan: `15元`, `15.50元`. */
export function yuan(fen: number): string {
  const whole = Math.floor(fen / 100);
  const rest = fen % 100;
  return rest === 0 ? `${whole}元` : `${whole}.${String(rest).padStart(2, "0")}元`;
}

export const authorityWords = (authority: string): string => AUTHORITIES[authority] ?? authority;
export const noAdviceWords = (why: string): string => NO_ADVICE[why] ?? "现在没有建议。";
export const outcomeWords = (outcome: string): string => OUTCOMES[outcome] ?? outcome;
export const offerStateWords = (state: string): string => OFFER_STATES[state] ?? state;
export const trendWords = (trend: string): string => TRENDS[trend] ?? trend;
export const angerWords = (level: number): string => ANGER[level] ?? "未知";

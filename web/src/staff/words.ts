/** What the desk's short names are called on the staff page. */
const REASONS: Record<string, string> = {
  safety: "涉及人身安全",
  asked: "客户要求人工",
  escalation: "客户表示要向外部投诉",
  unknown: "机器人判断不了是什么事",
  refused: "客户没有接受方案",
  beyond_authority: "超出机器人的权限",
  not_understood: "机器人没听懂",
  proof_limit: "核实订单的次数用完",
  no_order: "客户不愿提供订单号",
  second_matter: "客户还有另一件事",
  not_as_promised: "客户说没有按方案办到",
  changed_mind: "客户接受后又改了主意",
  late: "答应的时间过了",
  repeated: "这个订单已经补救过",
  remedy_late: "订单系统一直办不成",
  remedy_refused: "订单系统办不了",
  offer_gone: "方案在接受时已经变了",
  error: "机器人出错",
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
  keywords: "客户原话",
  order_number: "订单号（客户报的）",
  phone_last4: "手机尾号（客户报的）",
  item: "商品",
  also: "另外还有",
  stays_public: "客户想在公开场合谈",
  room_number: "房号",
  date: "日期",
};

const OUTCOMES: Record<string, string> = {
  accepted: "接受了方案",
  thanked: "已致谢",
};

const OFFER_STATES: Record<string, string> = {
  open: "等客户决定",
  accepted: "客户已接受",
  refused: "客户没有接受",
  replaced: "已换成新方案",
};

const TRENDS: Record<string, string> = { rising: "在上升", steady: "持平", falling: "在缓和" };

const ANGER = ["平静", "不满", "生气", "愤怒"] as const;

/** The highest priority, given to safety alone. */
export const SAFETY_PRIORITY = 4;

export const reasonWords = (reason: string): string => REASONS[reason] ?? reason;
export const stageWords = (stage: string): string => STAGES[stage] ?? stage;
export const factName = (fact: string): string => FACTS[fact] ?? fact;
export const outcomeWords = (outcome: string): string => OUTCOMES[outcome] ?? outcome;
export const offerStateWords = (state: string): string => OFFER_STATES[state] ?? state;
export const trendWords = (trend: string): string => TRENDS[trend] ?? trend;
export const angerWords = (level: number): string => ANGER[level] ?? "未知";

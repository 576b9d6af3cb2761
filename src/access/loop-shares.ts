/** How much of the event loop of this process companies use. */
export interface LoopShares {
  /** Counts work for a company. Times are monotonic milliseconds. */
  add: (companyId: string, ms: number, at: number) => void;
  /** Whether a company has used much more than the average company in the last second, so that its work should wait for others. */
  isOver: (companyId: string, at: number) => boolean;
  /** Whether several companies have used the event loop within the last second. */
  isShared: (at: number) => boolean;
}

/** Use is counted over one to two times this. */
const COUNTED_MS = 500;
/** Times the average of the companies that used the event loop. Companies of the same size differ by less. */
const MAX_SHARE = 1.5;
/** Less use than this is never over the share: the work of one dashboard. */
const MIN_USE_MS = 20;

/** The use of half a second, by company and in total. */
const createUse = () => ({ ms: new Map<string, number>(), total: 0 });

export function createLoopShares(): LoopShares {
  let current = createUse();
  let before = createUse();
  let startedAt = -Infinity;
  /** Of both. */
  let companies = 0;

  function turnPage(at: number): void {
    const sinceMs = at - startedAt;
    if (sinceMs < COUNTED_MS) return;
    before = sinceMs < 2 * COUNTED_MS ? current : createUse();
    current = createUse();
    companies = before.ms.size;
    startedAt = at;
  }

  return {
    add(companyId, ms, at) {
      turnPage(at);
      const own = current.ms.get(companyId);
      if (own === undefined && !before.ms.has(companyId)) companies += 1;
      current.ms.set(companyId, (own ?? 0) + ms);
      current.total += ms;
    },
    isOver(companyId, at) {
      turnPage(at);
      const own = (current.ms.get(companyId) ?? 0) + (before.ms.get(companyId) ?? 0);
      const average = (current.total + before.total) / companies;
      return companies > 1 && own > MIN_USE_MS && own > MAX_SHARE * average;
    },
    isShared(at) {
      turnPage(at);
      return companies > 1;
    },
  };
}

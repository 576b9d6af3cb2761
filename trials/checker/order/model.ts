import type { Model } from '../search.ts';
import { type Bounds, emptyState, layoutOf, type State, withBudget } from './state.ts';
import { createSuccessors, type OrderSuccessor } from './successors.ts';

/** The order of emissions, with the project's code, within some bounds. */
export async function createOrderModel(bounds: Bounds): Promise<Model<State, OrderSuccessor>> {
  const layout = layoutOf(bounds);
  return {
    first: withBudget(await firstState(bounds), layout, bounds),
    successorsOf: createSuccessors(layout, bounds),
    describe,
  };
}

/** The dashboards have loaded their lists, are connected, and nothing is left to do. */
async function firstState(bounds: Bounds): Promise<State> {
  const layout = layoutOf(bounds);
  const successorsOf = createSuccessors(layout, bounds);
  let state = emptyState(layout, bounds);
  for (;;) {
    const [successor] = await successorsOf(state);
    if (!successor) return state;
    if (successor.violation !== undefined) throw new Error(`at the start: ${successor.violation}`);
    state = successor.next();
  }
}

function describe(taken: readonly OrderSuccessor[]): string[] {
  let areExchanged = false;
  return taken.map(({ label, isExchanged }) => {
    const text = areExchanged ? exchangeWorkers(label) : label;
    areExchanged = areExchanged !== isExchanged;
    return text;
  });
}

const exchangeWorkers = (label: string): string =>
  label.replace(/^worker ([12])/, (_, number) => `worker ${3 - Number(number)}`);

import type { DisconnectReport, RepairReport } from '@appointment-emissions/contracts';
import { byId, create } from '../shared/elements.ts';
import { count } from './format.ts';

/** Result of a dry run or of a repair. */
export interface RepairOutcome {
  /** Number of emissions or dashboards. If a dry run finds none, the repair is not offered. */
  affected: number;
  /** A sentence for the operator. */
  message: string;
}

export interface RepairDialogDeps {
  /** Ids of the dialog, and of the button that opens it. */
  dialog: string;
  opener: string;
  /** Reads the request from the form, without `dryRun`. */
  request: (form: FormData) => object;
  send: (request: object) => Promise<RepairOutcome>;
  writes: () => boolean;
  onDone: () => void;
}

const AGES = {
  '10m': '10 minutes',
  '1h': 'an hour',
  '6h': '6 hours',
  '1d': 'a day',
  '7d': '7 days',
  '14d': '14 days',
};

/**
 * A dialog that runs a repair in two steps: a dry run (its submit button, or Enter), then the repair. If its form has a checkbox `confirm`, the repair also needs
 * that. Every other change in the form needs another dry run.
 */
export function createRepairDialog({ request, send, writes, onDone, ...ids }: RepairDialogDeps) {
  const parts = partsOf(ids.dialog);
  const { dialog, form, close, check, run, confirmation } = parts;
  const result = createResult(parts);
  /** Number of changes in the form: a dry run of an earlier request allows nothing. */
  let changes = 0;

  async function repair(dryRun: boolean): Promise<void> {
    if (!form.reportValidity()) return;
    const changesBefore = changes;
    check.disabled = true;
    result.show(dryRun ? 'Checking…' : 'Running…');
    try {
      const { affected, message } = await send({ ...request(new FormData(form)), dryRun });
      const isOffered = dryRun && affected > 0;
      if (dryRun && changes !== changesBefore) result.show('');
      else if (isOffered && !writes()) result.show(`${message} Your role, view, allows dry runs only.`);
      else result.show(message, isOffered);
      if (!dryRun) onDone();
    } catch (error) {
      result.show(error instanceof Error ? error.message : String(error));
    }
    check.disabled = false;
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void repair(true);
  });
  run.addEventListener('click', () => void repair(false));
  form.addEventListener('input', ({ target }) => {
    if (target === confirmation) return;
    changes += 1;
    result.show('');
  });
  close.addEventListener('click', () => {
    dialog.close();
  });
  byId(ids.opener, HTMLButtonElement).addEventListener('click', () => {
    result.show('');
    dialog.showModal();
  });
  return { form };
}

type Parts = ReturnType<typeof partsOf>;

/** Shows the result of a step, and enables the repair after a dry run that found something. */
function createResult({ output, run, confirmation }: Pick<Parts, 'output' | 'run' | 'confirmation'>) {
  confirmation?.addEventListener('input', () => {
    run.disabled = !confirmation.checked;
  });
  return {
    show(message: string, isOffered = false): void {
      output.value = message;
      run.disabled = !isOffered || confirmation !== null;
      if (!confirmation) return;
      confirmation.checked = false;
      confirmation.disabled = !isOffered;
    },
  };
}

function partsOf(id: string) {
  const dialog = byId(id, HTMLDialogElement);
  const form = dialog.querySelector('form');
  const output = dialog.querySelector('output');
  const [close, check, run] = ['close', 'check', 'run'].map((name) =>
    dialog.querySelector<HTMLButtonElement>(`button[name=${name}]`),
  );
  if (!form || !output || !close || !check || !run) throw new Error(`#${id} lacks a part`);
  const since = form.elements.namedItem('since') as HTMLSelectElement | null;
  since?.append(
    ...Object.entries(AGES).map(([age, words]) => {
      const option = create('option', '', words);
      option.value = age;
      option.selected = age === '1h';
      return option;
    }),
  );
  const confirmation = form.elements.namedItem('confirm') as HTMLInputElement | null;
  return { dialog, form, output, close, check, run, confirmation };
}

/** @param done  past participle of the repair, such as `retried` */
export function describeRepair({ dryRun, matched, repaired }: RepairReport, done: string): RepairOutcome {
  const rest = matched > repaired ? ` of ${count(matched)}` : '';
  return { affected: repaired, message: `${count(repaired)}${rest} ${dryRun ? 'would be ' : ''}${done}.` };
}

export function describeDisconnect({ dryRun, matched, unanswered }: DisconnectReport): RepairOutcome {
  const dashboards = `${count(matched)} ${matched === 1 ? 'dashboard' : 'dashboards'}`;
  const verb = dryRun ? 'would be disconnected' : matched === 1 ? 'was disconnected' : 'were disconnected';
  const missing =
    unanswered === 0
      ? ''
      : ` ${count(unanswered)} ${unanswered === 1 ? 'gateway' : 'gateways'} did not reply, so there may be more.`;
  const message = matched === 0 ? 'No such dashboard is connected.' : `${dashboards} ${verb}.`;
  return { affected: matched, message: `${message}${missing}` };
}

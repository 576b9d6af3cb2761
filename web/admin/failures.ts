import {
  type EmissionSource,
  type FailedEmission,
  isolate,
  singleLine,
} from '@appointment-emissions/contracts';
import { byId, create, setChildren, setText, userText } from '../shared/elements.ts';
import { BASE_PATH } from '../shared/base-path.ts';
import { duration } from './format.ts';

export interface FailuresDeps {
  retry: (emissionId: string) => Promise<unknown>;
  onRetried: () => void;
}

interface Row {
  item: HTMLLIElement;
  age: HTMLElement;
  button: HTMLButtonElement;
  /** Whether the failure was retried, or is being retried. */
  isRetried: () => boolean;
}

const READ_ONLY = 'Your role is view: a retry needs the role repair.';

/** The list of the last failures, each with its reason and a button to retry it. */
export function createFailures(deps: FailuresDeps) {
  const list = byId('failures', HTMLOListElement);
  const nothing = byId('no-failures', HTMLElement);
  const readOnly = byId('read-only', HTMLElement);
  const rows = new Map<string, Row>();

  return (failures: readonly FailedEmission[], { writes, now }: { writes: boolean; now: number }): void => {
    readOnly.hidden = writes;
    nothing.hidden = failures.length > 0;
    for (const id of rows.keys()) if (!failures.some(({ emissionId }) => emissionId === id)) rows.delete(id);
    const shown = failures.map((failure) => {
      const key = failure.emissionId;
      const row = rows.get(key) ?? createRow(failure, deps);
      rows.set(key, row);
      row.button.disabled = !writes || row.isRetried();
      if (!writes) row.button.title = READ_ONLY;
      else if (row.button.title === READ_ONLY) row.button.title = '';
      setText(row.age, `${duration(Math.max(0, now - Date.parse(failure.failedAt)))} ago`);
      return row.item;
    });
    setChildren(list, shown);
  };
}

/** @param onFault called with the error message if the retry fails */
function createRetryButton(
  { emissionId, event, appointmentId }: FailedEmission,
  { retry, onRetried }: FailuresDeps,
  onFault: (message: string) => void,
): Pick<Row, 'button' | 'isRetried'> {
  let isRetried = false;
  const button = create('button', '', 'Retry');
  button.type = 'button';
  button.setAttribute('aria-label', `Retry ${isolate(event)} of appointment ${isolate(appointmentId)}`);
  button.addEventListener('click', () => {
    isRetried = button.disabled = true;
    setText(button, 'Retrying…');
    retry(emissionId).then(
      () => {
        setText(button, 'Queued');
        onRetried();
      },
      (error: unknown) => {
        isRetried = button.disabled = false;
        setText(button, 'Retry');
        button.title = error instanceof Error ? error.message : String(error);
        onFault(button.title);
      },
    );
  });
  return { button, isRetried: () => isRetried };
}

const ORIGINS: Record<EmissionSource, string> = {
  call: 'announced by a call or a repair',
  capture: 'found by capture',
  sweep: 'found by the sweep',
};

function createRow(failure: FailedEmission, deps: FailuresDeps): Row {
  const { emissionId, queue, source, event, appointmentId, companyId, reason, attempts } = failure;
  const item = create('li');
  const [code = '', ...words] = reason.split(': ');
  const why = create('p', 'why');
  why.append(userText(words.length > 0 ? words.join(': ') : reason));
  if (words.length > 0) why.prepend(create('code', '', singleLine(code)), ' ');
  const job = create('a');
  job.append(userText(event));
  job.href = `${BASE_PATH}/admin/queues/queue/${queue}/${encodeURIComponent(emissionId)}?status=failed`;
  const age = create('span', 'quiet');
  const head = create('p', 'head');
  head.append(job, ' ', age);
  const ids = create('p', 'ids quiet');
  ids.textContent = `appointment ${isolate(appointmentId)} · company ${isolate(companyId)} · ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'} · ${ORIGINS[source]}`;
  const { button, isRetried } = createRetryButton(failure, deps, (error) => {
    why.dataset.fault = error;
  });
  const text = create('div');
  text.append(head, why, ids);
  item.append(text, button);
  return { item, age, button, isRetried };
}

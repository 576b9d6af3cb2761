import { BASE_PATH } from '../shared/base-path.ts';
import { byId, create, setText } from '../shared/elements.ts';
import { createStoredText } from './stored-text.ts';

/** The signed-in user's access to a company's calendar. */
export interface Session {
  /** Passed to the dashboard library, which calls it again if the last token has expired or was refused. */
  getToken: () => Promise<string>;
  /** Set in demo mode, in which the server signs tokens. */
  demo: DemoToken | undefined;
}

interface DemoToken {
  token: string;
  companyId: string;
  companyName: string;
  timeZone: string;
  /** The staff members whose view can be chosen. */
  staff?: { id: string; fullName: string }[];
}

const STORAGE_KEY = 'dashboard-token';
const RETRY_MS = 2_000;

/**
 * Requests a demo token from the server. If the server is not a demo, the user must enter an access token.
 * @param onUnreachable called after each failed request; another follows
 */
export async function openSession(onUnreachable: () => void): Promise<Session> {
  for (;;) {
    const demo = await requestDemoToken().catch(() => 'unreachable' as const);
    if (demo === 'unreachable') {
      onUnreachable();
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      continue;
    }
    if (demo === undefined) return { getToken: createSignIn(), demo };
    offerViews(demo.staff ?? []);
    return { getToken: createDemoTokens(demo), demo };
  }
}

/** The staff member whose view the address names. Without it the page has the manager's view, of all appointments. */
const viewInAddress = () => new URLSearchParams(location.search).get('as') ?? '';

/** Shows the choice of a view after that of the time zone. Another choice loads the page again. */
function offerViews(staff: readonly { id: string; fullName: string }[]): void {
  if (staff.length === 0) return;
  const label = create('label', '', 'View as ');
  const select = create('select');
  label.append(select);
  select.append(new Option('Manager', ''), ...staff.map(({ id, fullName }) => new Option(fullName, id)));
  select.value = staff.some(({ id }) => id === viewInAddress()) ? viewInAddress() : '';
  select.addEventListener('change', () => {
    const address = new URL(location.href);
    if (select.value === '') address.searchParams.delete('as');
    else address.searchParams.set('as', select.value);
    location.assign(address);
  });
  byId('time-zone', HTMLSelectElement).closest('label')?.after(label);
}

/** Returns undefined if the server is not a demo. @throws if the server is unreachable or fails */
async function requestDemoToken(view = viewInAddress()): Promise<DemoToken | undefined> {
  const search = view === '' ? '' : `?as=${encodeURIComponent(view)}`;
  const reply = await fetch(`${BASE_PATH}/demo/token${search}`, { method: 'POST' });
  if (reply.status === 404 && view !== '') return requestDemoToken('');
  if (reply.status >= 400 && reply.status < 500 && reply.status !== 429) return undefined;
  if (!reply.ok) throw new Error(`POST /demo/token: ${reply.status}`);
  return (await reply.json()) as DemoToken;
}

function createDemoTokens(first: DemoToken): () => Promise<string> {
  let unused: DemoToken | undefined = first;
  return async () => {
    const { token } = unused ?? (await requestDemoToken()) ?? first;
    unused = undefined;
    return token;
  };
}

/** The sign-in form. The token is stored for this tab. A second call means that the stored token has expired or was refused. */
function createSignIn(): () => Promise<string> {
  const form = byId('sign-in', HTMLFormElement);
  const field = byId('token', HTMLInputElement);
  const why = byId('sign-in-why', HTMLParagraphElement);
  const stored = createStoredText(() => sessionStorage, STORAGE_KEY);
  let unused = stored.get();

  const askUser = () =>
    new Promise<string>((resolve) => {
      form.hidden = false;
      field.focus();
      form.addEventListener(
        'submit',
        (submit) => {
          submit.preventDefault();
          form.hidden = true;
          const token = field.value.trim();
          field.value = '';
          stored.set(token);
          setText(why, 'The last access token has expired or was refused. Enter a new one.');
          resolve(token);
        },
        { once: true },
      );
    });

  let asking: Promise<string> | undefined;
  return async () => {
    if (unused === undefined) {
      // The library calls again while the user has not signed in yet.
      asking ??= askUser().finally(() => (asking = undefined));
      return asking;
    }
    const token = unused;
    unused = undefined;
    return token;
  };
}

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Page } from 'playwright-core';
import { format, resolveConfig } from 'prettier';
import { PROJECT_DIR, RUNTIME_DIR } from './paths.mjs';
import type { Main } from './run.mjs';
import { openDashboardPage, pictureContext, startDemo } from './show-demo.ts';

const REPORT = join(PROJECT_DIR, 'docs', 'reports', 'mcp-session.md');
const PICTURE = join(RUNTIME_DIR, 'mcp-session.png');
const ZONE = 'Europe/Berlin';

/** What a call returned, and what the page showed afterwards. */
interface Step {
  tool: string;
  text: string;
  structured: Record<string, unknown>;
  shown: string;
}

interface Found {
  slots: { staffId: string; start: string }[];
  pets: { petId: string }[];
  services: { serviceId: string; items: { serviceItemId: string }[] }[];
}

/**
 * Writes docs/reports/mcp-session.md: runs `npm start`, opens its page in Chromium, connects the SDK's client to `npm run mcp`, and
 * books, moves and cancels an appointment. Waits after each call until the page shows the change.
 */
export const main: Main = async ({ signal }) => {
  const demo = await startDemo({ signal, env: { DASHBOARD_TIME_ZONE: ZONE } });
  try {
    const { page, close } = await openDashboardPage(demo.base, pictureContext(ZONE));
    const client = await connectClient(demo.dir);
    const steps = await runSession(client, page);
    await page.screenshot({ path: PICTURE });
    const options = { ...(await resolveConfig(REPORT)), parser: 'markdown' };
    writeFileSync(REPORT, await format(render(client, steps), options));
    console.log(`wrote ${REPORT} and ${PICTURE}`);
    await client.close();
    await close();
  } finally {
    await demo.stop();
  }
  return 0;
};

async function connectClient(startDir: string): Promise<Client> {
  const client = new Client(
    { name: 'mcp-session', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const env = { PATH: process.env.PATH ?? '', START_DIR: startDir, DASHBOARD_TIME_ZONE: ZONE };
  const args = ['run', 'mcp', '--silent'];
  await client.connect(new StdioClientTransport({ command: 'npm', args, cwd: PROJECT_DIR, env }));
  return client;
}

async function runSession(client: Client, page: Page): Promise<Step[]> {
  const steps: Step[] = [];
  async function call(
    tool: string,
    args: Record<string, unknown>,
    show: (appointmentId: string) => Promise<string>,
  ): Promise<Step> {
    const {
      content,
      structuredContent = {},
      isError,
    } = await client.callTool({ name: tool, arguments: args });
    const [first] = content;
    const text = first?.type === 'text' ? first.text : '';
    if (isError) throw new Error(`${tool} failed: ${text}`);
    const structured = structuredContent as Record<string, unknown>;
    const { appointmentId = '' } = (structured.appointment ?? {}) as { appointmentId?: string };
    const step = { tool, text, structured, shown: await show(appointmentId) };
    steps.push(step);
    return step;
  }
  const cardWith =
    (status: string, time: string) =>
    async (appointmentId: string): Promise<string> => {
      const card = page.locator(`[data-appointment-id="${appointmentId}"][data-status="${status}"]`, {
        hasText: time,
      });
      await card.waitFor();
      return (await card.locator('.texts > *').allTextContents()).join(', ');
    };

  const date = new Date(Date.now() + 24 * 3_600_000).toLocaleDateString('sv-SE', { timeZone: ZONE });
  const search = await call('find_free_slots', { date, days: 1 }, async () => {
    await page.locator('#date').fill(date);
    return '';
  });
  const { slots, pets, services } = search.structured as unknown as Found;
  const [slot, service] = [slots[0], services[0]];
  // The last time of the same staff member.
  const later = slots.filter(({ staffId }) => staffId === slot?.staffId).at(-1);
  if (slot === undefined || later === undefined || service === undefined)
    throw new Error('nothing is free tomorrow');

  const booking = {
    petId: pets[0]?.petId,
    serviceId: service.serviceId,
    serviceItemId: service.items[0]?.serviceItemId,
    staffId: slot.staffId,
    start: slot.start,
    durationMinutes: 60,
    notes: 'Afraid of the dryer.',
  };
  const timeOf = (start: string): string => start.slice(11, 16);
  const booked = await call('book_appointment', booking, cardWith('scheduled', timeOf(slot.start)));
  const { appointmentId } = booked.structured.appointment as { appointmentId: string };
  await call(
    'reschedule_appointment',
    { appointmentId, start: later.start },
    cardWith('scheduled', timeOf(later.start)),
  );
  await call('cancel_appointment', { appointmentId }, cardWith('canceled', timeOf(later.start)));
  return steps;
}

function render(client: Client, steps: readonly Step[]): string {
  const { name = '', version = '' } = client.getServerVersion() ?? {};
  const date = new Date().toISOString().slice(0, 10);
  return [
    '# An MCP session',
    '',
    `\`node scripts/run.mjs mcp-session\`, ${date}: \`npm start\` with its page in Chromium, and the SDK's client on`,
    `\`npm run mcp --silent\` (${name} ${version}, protocol ${client.getNegotiatedProtocolVersion() ?? ''}). The page showed each change`,
    'without a reload.',
    '',
    '| tool | result, first line | page |',
    '| --- | --- | --- |',
    ...steps.map(({ tool, text, shown }) => `| \`${tool}\` | ${text.split('\n')[0] ?? ''} | ${shown} |`),
    '',
  ].join('\n');
}

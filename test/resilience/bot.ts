import type { Company } from '../harness/documents.ts';
import type { World } from '../harness/world.ts';

/** As the bot does: writes an appointment's notes, then tells of it; resolves when it was published. */
export async function tellChange(
  world: World,
  api: { url: string },
  company: Company,
  appointmentId: string,
  notes: string,
): Promise<void> {
  await company.change(appointmentId, { notes });
  const emissionId = await world.emit(api, 'appointment-updated', appointmentId);
  await world.jobIn(emissionId, 'completed');
}

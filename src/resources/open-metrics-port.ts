import { errorMessage } from '../errors.ts';
import { type MetricsPortDeps, serveMetricsPort } from '../metrics/serve-metrics-port.ts';
import type { Resources } from './open-resources.ts';

/**
 * Serves `/metrics` and `/livez` on `METRICS_PORT`, if it is set. If the port cannot be opened, the process runs without it
 * and reports a warning.
 */
export function openMetricsPort(
  { config, metrics, lifecycle, warnings, recordCut, logger }: Resources,
  isAlive: MetricsPortDeps['isAlive'],
): void {
  if (config.METRICS_PORT === undefined) return;
  let problem: string | undefined;
  warnings.add(() => [problem]);
  const { listening, close } = serveMetricsPort(config.METRICS_PORT, {
    registry: metrics.registry,
    isAlive,
    onCut: recordCut,
    logger,
  });
  lifecycle.onClose('metrics port', close);
  listening.catch((error: unknown) => {
    problem = `the metrics port is not open: ${errorMessage(error)}`;
    logger.error({ error: problem }, 'metrics port not open');
  });
}

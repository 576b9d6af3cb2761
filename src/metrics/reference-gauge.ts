import { Gauge, type Registry } from 'prom-client';
import type { ReferenceField } from '../domain/references.ts';
import { configurationOf } from './prometheus-catalog.ts';

export interface ReferenceGauge {
  countUnresolved: (field: ReferenceField, unresolved: number) => void;
}

/** Adds the gauge of references that do not resolve. It has no series before the first check. */
export function registerReferenceGauge(registry: Registry): ReferenceGauge {
  const gauge = new Gauge({ ...configurationOf('emission_unresolved_references'), registers: [registry] });
  return {
    countUnresolved: (field, unresolved) => {
      gauge.set({ field }, unresolved);
    },
  };
}

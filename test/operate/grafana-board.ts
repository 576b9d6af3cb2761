import type { Dashboard, DataQuery, FieldConfigSource, Panel, RowPanel } from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as TimeSeriesFields,
  Options as TimeSeriesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/** Some of Grafana's types are enums, which JSON cannot name: their values. */
type Plain<T> = T extends string ? `${T}` : T extends object ? { [Key in keyof T]: Plain<T[Key]> } : T;

/** A query of the Prometheus data source, whose types are not in the package. */
interface PrometheusQuery extends Pick<DataQuery, 'refId'> {
  datasource: { type: 'prometheus'; uid: string };
  expr: string;
  legendFormat: string;
  range: boolean;
  instant: boolean;
}

type PanelOf<Type, Options, Fields> = Plain<Omit<Panel, 'type' | 'options' | 'fieldConfig' | 'targets'>> & {
  type: Type;
  options: Partial<Plain<Options>>;
  fieldConfig: Plain<Omit<FieldConfigSource, 'defaults'>> & {
    defaults: Plain<Omit<FieldConfigSource['defaults'], 'custom'>> & { custom?: Plain<Fields> };
  };
  targets: PrometheusQuery[];
};

/** `ops/grafana-dashboard.json`, by the types that Grafana publishes. As the type of a literal it refuses unknown fields too. */
export type GrafanaBoard = Plain<Omit<Dashboard, 'panels'>> & {
  panels: (
    | (Plain<Omit<RowPanel, 'type'>> & { type: 'row' })
    | PanelOf<'stat', StatOptions, Record<string, never>>
    | PanelOf<'timeseries', TimeSeriesOptions, TimeSeriesFields>
  )[];
};

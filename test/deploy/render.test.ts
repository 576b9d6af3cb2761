import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { loadApiConfig, loadWorkerConfig } from '../../src/config.ts';
import { API_LIMITS, SHARED_LIMITS } from '../../src/settings/limits.ts';
import { ROOT } from '../docs/pages.ts';
import { openHelm, type Values } from './helm-chart.ts';
import { findProblems, type Manifest, nameOf } from './manifests.ts';

const SECRETS = {
  MONGODB_URI: 'mongodb://mongodb:27017/petbuddy?replicaSet=rs0',
  REDIS_URL: 'redis://redis:6379',
  INTERNAL_SERVICE_API_KEY: 'k'.repeat(32),
  SOCKET_JWT_SECRET: 's'.repeat(32),
  ADMIN_USER: 'ann',
  ADMIN_PASSWORD: `p: "{{ # }}" ${'$'.repeat(12)}`,
};
const EVERYTHING: Values = {
  image: { repository: 'registry.example.com/emissions', tag: '1.2.3', pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  settings: { CORS_ORIGIN: 'https://a.example.com,https://b.example.com', WORKER_CONCURRENCY: 50 },
  secrets: SECRETS,
  caSecret: 'servers-ca',
  api: {
    replicas: 3,
    preStopSeconds: 20,
    service: { type: 'LoadBalancer', annotations: { 'example.com/tls': 'on' } },
  },
  autoscaling: { enabled: true, maxReplicas: 20 },
  networkPolicy: { clients: [{ ipBlock: { cidr: '10.0.0.0/8' } }], serverPorts: [27017, 6380] },
  serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
  podAnnotations: { 'example.com/mesh': 'off' },
  nodeSelector: { 'kubernetes.io/arch': 'amd64' },
  tolerations: [{ key: 'reserved', operator: 'Exists', effect: 'NoSchedule' }],
};
/** Secrets of each component, and keys of dashboard tokens from an identity provider. */
const OWN_SECRETS: Values = {
  settings: { SOCKET_JWKS_URL: 'https://id.example.com/keys', EMISSIONS_MODEL: './emissions.model.js' },
  api: { preStopSeconds: 0 },
  worker: { existingSecret: 'emissions-worker' },
  indexes: { existingSecret: 'emissions-indexes' },
  networkPolicy: { metricsClients: [] },
};
const OPERATORS: Values = { api: { operatorsSecret: 'emissions-operators' } };
/** As after `settings:` with nothing below it. */
const EMPTY: Values = {
  settings: null,
  secrets: null,
  podAnnotations: null,
  networkPolicy: { clients: null },
};
const OFF: Values = { indexes: { enabled: false }, networkPolicy: { enabled: false } };
const CASES = [
  ['default values', {}],
  ['everything on', EVERYTHING],
  ['own Secrets', OWN_SECRETS],
  ['a file of operators', OPERATORS],
  ['everything off', OFF],
  ['empty values', EMPTY],
] as const;

/** What Kubernetes accepts as the name of a Service. */
const NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;

const built = await openHelm();
const helm = built!;
afterAll(() => built?.close());

/** Without Helm these tests are skipped, and a line on stderr says why. */
const describeChart = built ? describe : describe.skip;

describeChart('rendered by Helm', () => {
  test.each(CASES)('%s: lint finds nothing', async (_name, values) => {
    expect(await helm.lint(values)).toMatch(/1 chart\(s\) linted, 0 chart\(s\) failed/);
  });

  test.each(CASES)(
    '%s: every object has the type of its kind, and a name of its own',
    async (_name, values) => {
      const objects = await helm.render(values);
      expect(findProblems(objects)).toEqual([]);
      const names = objects.map(nameOf);
      expect(new Set(names).size).toBe(names.length);
      for (const { metadata } of objects) expect(metadata.name).toMatch(NAME);
    },
  );

  test('the longest name of a release that Helm allows, with dots, gives valid names', async () => {
    const release = `my.${'r'.repeat(50)}`;
    const names = (await helm.render(EVERYTHING, release)).map(({ metadata }) => String(metadata.name));
    for (const name of names) expect(name).toMatch(NAME);
  });

  test('the check of types finds unknown, mistyped and missing fields, and values of a wrong format', async () => {
    const objects = await helm.render(EVERYTHING);
    byKind(objects, 'NetworkPolicy')[0].spec.podSelectors = {};
    byKind(objects, 'Deployment')[0].spec.replicas = '3';
    delete byKind(objects, 'ScaledObject')[0].spec.triggers[0].type;
    byKind(objects, 'Job')[0].spec.template.spec.containers[0].resources.limits.memory = 'much';
    byKind(objects, 'Service')[0].kind = 'Servce';
    const problems = findProblems(objects).join('\n');
    expect(problems).toMatch(/^Servce .*: no type of this kind is known$/m);
    expect(problems).toMatch(/^NetworkPolicy .*'"podSelectors"' does not exist/m);
    expect(problems).toMatch(/^Deployment .*'string' is not assignable to type 'number'/m);
    expect(problems).toMatch(/^ScaledObject .*'"type"' is missing/m);
    expect(problems).toMatch(/^Job .*memory must match format "quantity"/m);
  });

  test('an installation with default values has the expected objects', async () => {
    expect((await helm.render()).map(nameOf).sort()).toEqual([
      'ConfigMap shop-appointment-emissions',
      'Deployment shop-appointment-emissions-api',
      'Deployment shop-appointment-emissions-worker',
      'Job shop-appointment-emissions-indexes',
      'NetworkPolicy shop-appointment-emissions-api',
      'NetworkPolicy shop-appointment-emissions-worker',
      'PodDisruptionBudget shop-appointment-emissions-api',
      'PodDisruptionBudget shop-appointment-emissions-worker',
      'Service shop-appointment-emissions-api',
      'Service shop-appointment-emissions-api-metrics',
      'Service shop-appointment-emissions-worker-metrics',
    ]);
  });

  test.each(CASES)('%s: no process is root, writes to its image or has a token', async (_name, values) => {
    const objects = await helm.render(values);
    expect(podsOf(objects).length).toBeGreaterThan(1);
    for (const pod of podsOf(objects)) {
      expect(pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      for (const container of pod.containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
        expect(container.resources.limits.memory).toMatch(/^\d+[MG]i$/);
      }
    }
  });

  test.each(CASES)('%s: a process can end by itself before it is killed', async (_name, values: Values) => {
    for (const drainMs of [undefined, 0, '30000', 9_001]) {
      const settings = { ...(values['settings'] as object | null), SHUTDOWN_DRAIN_MS: drainMs };
      const objects = await helm.render({ ...values, settings });
      const apiMs = Number(drainMs ?? 2_000) + API_LIMITS.SHUTDOWN_DEADLINE_MS;
      for (const { metadata, spec } of byKind(objects, 'Deployment')) {
        const endMs = String(metadata.name).endsWith('-api') ? apiMs : SHARED_LIMITS.SHUTDOWN_DEADLINE_MS;
        const { terminationGracePeriodSeconds, containers } = spec.template.spec;
        const preStop = Number(containers[0].lifecycle?.preStop.exec.command[1] ?? 0);
        // It also waits for the end of its start, and writes its last log lines.
        expect(terminationGracePeriodSeconds - preStop).toBeGreaterThanOrEqual(endMs / 1_000 + 4);
      }
    }
  });

  test('API and worker accept the settings that they get, also those that YAML reads as other types', async () => {
    const settings = [
      'settings:',
      '  CAPTURE: off',
      '  CAPTURE_REFERENCES: on',
      '  ADMIN_WRITES: "on"',
      '  MAX_WAITING_EMISSIONS: 12345678',
      '  QUEUE_PREFIX: "{shop}"',
      '  CORS_ORIGIN: https://a.example.com,https://b.example.com',
    ].join('\n');
    const objects = await helm.render(`${settings}\nsecrets: ${JSON.stringify(SECRETS)}\n`);
    const [api, worker] = ['api', 'worker'].map((component) => environmentOf(objects, component));
    expect(loadApiConfig(api!)).toMatchObject({
      ADMIN_WRITES: true,
      ADMIN_PASSWORD: SECRETS.ADMIN_PASSWORD,
      MAX_WAITING_EMISSIONS: 12_345_678,
      QUEUE_PREFIX: '{shop}',
      CORS_ORIGIN: ['https://a.example.com', 'https://b.example.com'],
      LOG_FILES: 0,
      PORT: 3001,
      METRICS_PORT: 9464,
    });
    expect(loadWorkerConfig(worker!)).toMatchObject({ CAPTURE: 'off', CAPTURE_REFERENCES: true });
  });

  test('workers get no secret of the API, and the indexes only the address of MongoDB', async () => {
    for (const values of [{}, EVERYTHING, OWN_SECRETS]) {
      const objects = await helm.render(values);
      expect(secretKeysOf(objects, 'worker')).toEqual(['MONGODB_URI', 'REDIS_URL']);
      expect(secretKeysOf(objects, 'indexes')).toEqual(['MONGODB_URI']);
      expect(secretKeysOf(objects, 'api').sort()).toEqual(Object.keys(SECRETS).sort());
    }
  });

  test('each component reads the Secret that is named for it', async () => {
    const secretOf = async (values: Values) => {
      const objects = await helm.render(values);
      return ['api', 'worker', 'indexes'].map(
        (component) => envOf(objects, component)[0].valueFrom.secretKeyRef.name,
      );
    };
    expect(await secretOf({})).toEqual(Array(3).fill('appointment-emissions'));
    expect(await secretOf(OWN_SECRETS)).toEqual([
      'appointment-emissions',
      'emissions-worker',
      'emissions-indexes',
    ]);
    const created = 'shop-appointment-emissions';
    expect(await secretOf(EVERYTHING)).toEqual([created, created, `${created}-indexes`]);
  });

  test('only the API has the file of operators, and then no ADMIN_USER', async () => {
    const objects = await helm.render(OPERATORS);
    const file = envOf(objects, 'api').find(({ name }) => name === 'OPERATORS_FILE');
    expect(file).toEqual({ name: 'OPERATORS_FILE', value: '/etc/emissions-operators/operators.txt' });
    expect(secretKeysOf(objects, 'api')).not.toContain('ADMIN_USER');
    const mounts = podsOf(objects).map(({ containers, volumes }) => [
      containers[0].name,
      containers[0].volumeMounts ?? [],
      ((volumes ?? []) as Manifest[]).map(({ secret }) => secret.secretName),
    ]);
    expect(mounts).toContainEqual([
      'api',
      [{ name: 'operators', mountPath: '/etc/emissions-operators', readOnly: true }],
      ['emissions-operators'],
    ]);
    expect(mounts.filter(([name]) => name !== 'api').map(([, , secrets]) => secrets)).toEqual([[], []]);
  });

  test('the indexes are created before everything else, with nothing that exists only afterwards', async () => {
    for (const values of [{}, EVERYTHING]) {
      const objects = await helm.render(values);
      const hooks = objects.filter(({ metadata }) => metadata.annotations?.['helm.sh/hook']);
      const [job] = byKind(hooks, 'Job');
      expect(job.metadata.annotations['helm.sh/hook']).toBe('pre-install,pre-upgrade');
      const own = new Set(
        objects.filter((object) => !hooks.includes(object)).map(({ metadata }) => metadata.name),
      );
      const { envFrom, env } = job.spec.template.spec.containers[0];
      expect(envFrom).toBeUndefined();
      for (const { valueFrom } of env) expect(own).not.toContain(valueFrom?.secretKeyRef.name);
      const weightOf = (object: Manifest) => Number(object.metadata.annotations['helm.sh/hook-weight']);
      for (const secret of byKind(hooks, 'Secret')) expect(weightOf(secret)).toBeLessThan(weightOf(job));
    }
  });

  test.each(CASES)('%s: every selector, port and reference has its counterpart', async (_name, values) => {
    const objects = await helm.render(values);
    const deployments = byKind(objects, 'Deployment');
    const pods = deployments.map(({ spec }) => spec.template);
    const selected = (selector: Record<string, string>) =>
      pods.filter(({ metadata }) => matches(selector, metadata.labels));
    for (const { spec } of byKind(objects, 'Service')) {
      const [pod, ...others] = selected(spec.selector);
      expect(others).toEqual([]);
      const { ports } = pod.spec.containers[0];
      for (const { targetPort } of spec.ports)
        expect(ports).toContainEqual(expect.objectContaining({ name: targetPort }));
    }
    for (const { spec } of [...byKind(objects, 'PodDisruptionBudget'), ...deployments])
      expect(selected(spec.selector.matchLabels)).toHaveLength(1);
    for (const { spec } of byKind(objects, 'NetworkPolicy'))
      expect(selected(spec.podSelector.matchLabels)).toHaveLength(1);
    for (const { spec } of pods) {
      for (const { labelSelector } of spec.topologySpreadConstraints)
        expect(selected(labelSelector.matchLabels)).toHaveLength(1);
      for (const probe of ['startupProbe', 'livenessProbe', 'readinessProbe']) {
        const get = spec.containers[0][probe]?.httpGet;
        if (get) expect(spec.containers[0].ports).toContainEqual(expect.objectContaining({ name: get.port }));
      }
    }
    for (const { spec } of byKind(objects, 'ServiceMonitor'))
      expect(
        byKind(objects, 'Service').filter(({ metadata }) =>
          matches(spec.selector.matchLabels, metadata.labels),
        ),
      ).toHaveLength(2);
  });

  test('KEDA scales the workers, and reads the metrics of the API', async () => {
    const objects = await helm.render(EVERYTHING);
    const [{ spec }] = byKind(objects, 'ScaledObject');
    const worker = byKind(objects, 'Deployment').find(
      ({ metadata }) => metadata.name === spec.scaleTargetRef.name,
    );
    expect(worker.spec).not.toHaveProperty('replicas');
    expect(spec.triggers).toMatchObject([{ name: 'bulk' }, { name: 'live' }]);
    for (const { metadata } of spec.triggers) {
      const { hostname, port, pathname } = new URL(metadata.url);
      const [service, namespace] = hostname.split('.');
      expect([namespace, port, pathname]).toEqual(['calendar', '9464', '/metrics']);
      expect(byKind(objects, 'Service').map((object) => object.metadata.name)).toContain(service);
    }
  });

  test('every command runs a file of the build', async () => {
    for (const { containers } of podsOf(await helm.render())) {
      const command: string[] = containers[0].command ?? ['dist/src/api/main.js'];
      const file = command.at(-1) ?? '';
      const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
      expect({ file, exists: existsSync(join(ROOT, source)) }).toEqual({ file, exists: true });
    }
  });

  test('changed settings or secrets restart the pods, others do not', async () => {
    const checksums = async (values: Values) =>
      byKind(await helm.render(values), 'Deployment').map(
        ({ spec }) => spec.template.metadata.annotations['checksum/settings'],
      );
    const before = await checksums({ secrets: SECRETS });
    expect(await checksums({ secrets: SECRETS, worker: { replicas: 7 } })).toEqual(before);
    expect(await checksums({ secrets: SECRETS, settings: { LOG_LEVEL: 'debug' } })).not.toEqual(before);
    expect(await checksums({ secrets: { ...SECRETS, REDIS_URL: 'redis://other' } })).not.toEqual(before);
  });

  test.each<[string, Values, RegExp]>([
    ['an unknown setting', { settings: { COLOUR: 'red' } }, /settings.*'COLOUR' not allowed/],
    ['a setting of the chart', { settings: { PORT: 80 } }, /settings.*'PORT' not allowed/],
    ['a secret among the settings', { settings: { REDIS_URL: 'redis://redis' } }, /'REDIS_URL' not allowed/],
    [
      'a list as a setting',
      { settings: { CORS_ORIGIN: ['https://a.example.com'] } },
      /CORS_ORIGIN.*got array/,
    ],
    ['a misspelled value', { worker: { replica: 3 } }, /worker.*'replica' not allowed/],
    ['no workers', { worker: { replicas: 0 } }, /worker\/replicas.*minimum: got 0, want 1/],
    ['text for a number', { api: { replicas: 'two' } }, /api\/replicas.*got string, want integer/],
    ['no Secret', { existingSecret: '' }, /existingSecret.*minLength/],
    ['an incomplete Secret', { secrets: { ADMIN_USER: 'ann' } }, /secrets.*missing properties 'MONGODB_URI'/],
    [
      'neither secret nor keys of dashboard tokens',
      { secrets: { ...SECRETS, SOCKET_JWT_SECRET: undefined } },
      /secrets\.SOCKET_JWT_SECRET is required, unless settings\.SOCKET_JWKS_URL is set/,
    ],
    [
      'both',
      { secrets: SECRETS, settings: { SOCKET_JWKS_URL: 'https://id.example.com/keys' } },
      /exclude each other: set only one/,
    ],
    [
      'neither an operator nor a file of operators',
      { secrets: { ...SECRETS, ADMIN_USER: undefined, ADMIN_PASSWORD: undefined } },
      /secrets\.ADMIN_USER and secrets\.ADMIN_PASSWORD are required, unless api\.operatorsSecret is set/,
    ],
    [
      'an operator and a file of operators',
      { secrets: SECRETS, api: { operatorsSecret: 'operators' } },
      /ADMIN_USER and api\.operatorsSecret exclude each other: set only one/,
    ],
    [
      'more workers at least than at most',
      { autoscaling: { enabled: true, minReplicas: 20 } },
      /autoscaling\.minReplicas must not exceed autoscaling\.maxReplicas/,
    ],
    ['an empty peer', { networkPolicy: { clients: [{}] } }, /networkPolicy\/clients\/0.*minProperties/],
    ['a port that is none', { networkPolicy: { serverPorts: [70_000] } }, /serverPorts\/0.*maximum/],
  ])('bad values are refused: %s', async (_name, values, message) => {
    await expect(helm.render(values)).rejects.toThrow(message);
  });
});

function byKind(objects: readonly Manifest[], kind: string): Manifest[] {
  return objects.filter((object) => object.kind === kind);
}

function podsOf(objects: readonly Manifest[]): Manifest[] {
  return objects.flatMap(({ spec }) => spec?.template?.spec ?? []);
}

/** The variables of a component's container. */
function envOf(objects: readonly Manifest[], component: string): Manifest[] {
  return podsOf(objects).find(({ containers }) => containers[0].name === component).containers[0].env;
}

function secretKeysOf(objects: readonly Manifest[], component: string): string[] {
  return envOf(objects, component).flatMap(({ valueFrom }) => valueFrom?.secretKeyRef.key ?? []);
}

/** The environment of a component, as Kubernetes composes it from the rendered ConfigMap and Secret. */
function environmentOf(objects: readonly Manifest[], component: string): Record<string, string> {
  const { data } = byKind(objects, 'ConfigMap')[0];
  const variables = envOf(objects, component).map(({ name, value, valueFrom }) => {
    const { name: secret, key } = valueFrom?.secretKeyRef ?? {};
    const found = byKind(objects, 'Secret').find(({ metadata }) => metadata.name === secret);
    return [name, value ?? found.stringData[key]];
  });
  return { ...data, ...Object.fromEntries(variables) };
}

function matches(selector: Record<string, string>, labels: Record<string, string>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

{{/* Prefix of all names. With a suffix such as -worker-metrics it has at most 63 characters. */}}
{{- define "emissions.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | replace "." "-" | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | replace "." "-" | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods of a component: (dict "root" $ "component" "api"). */}}
{{- define "emissions.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* All labels of an object of a component. */}}
{{- define "emissions.labels" -}}
{{ include "emissions.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{/* Name of the Secret that a component reads. */}}
{{- define "emissions.secretName" -}}
{{- $own := (index .root.Values .component).existingSecret -}}
{{- if $own -}}
{{- $own -}}
{{- else if not .root.Values.secrets -}}
{{- .root.Values.existingSecret -}}
{{- else if eq .component "indexes" -}}
{{- include "emissions.name" .root }}-indexes
{{- else -}}
{{- include "emissions.name" .root -}}
{{- end -}}
{{- end -}}

{{/* Environment variables from the Secret of a component: "keys" is a list of names. Only SOCKET_JWT_SECRET may be missing. */}}
{{- define "emissions.secretEnv" -}}
{{- $secret := include "emissions.secretName" . -}}
{{- range .keys }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
      {{- if eq . "SOCKET_JWT_SECRET" }}
      optional: true
      {{- end }}
{{- end }}
{{- if .root.Values.caSecret }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/emissions-ca/ca.crt
{{- end }}
{{- end -}}

{{/* A setting as an environment variable has it. YAML reads on and off as booleans, and large numbers as floats. */}}
{{- define "emissions.setting" -}}
{{- if kindIs "bool" . -}}
{{- ternary "on" "off" . -}}
{{- else if kindIs "float64" . -}}
{{- printf "%.0f" . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Name of the Secret with the file of operators, for the component that reads it. */}}
{{- define "emissions.operatorsSecret" -}}
{{- if eq .component "api" -}}
{{- .root.Values.api.operatorsSecret -}}
{{- end -}}
{{- end -}}

{{/* Fields of the pod of a component. No process writes a file or calls the API of Kubernetes. */}}
{{- define "emissions.podFields" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  # The user node of the image.
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- $operators := include "emissions.operatorsSecret" . }}
{{- if or .root.Values.caSecret $operators }}
volumes:
  {{- with .root.Values.caSecret }}
  - name: ca
    secret:
      secretName: {{ . }}
      items: [{ key: ca.crt, path: ca.crt }]
  {{- end }}
  {{- with $operators }}
  - name: operators
    secret:
      secretName: {{ . }}
      items: [{ key: operators.txt, path: operators.txt }]
  {{- end }}
{{- end }}
{{- end -}}

{{/* Fields of the container of a component. */}}
{{- define "emissions.containerFields" -}}
image: {{ printf "%s:%s" .root.Values.image.repository (.root.Values.image.tag | default .root.Chart.AppVersion) | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- $operators := include "emissions.operatorsSecret" . }}
{{- if or .root.Values.caSecret $operators }}
volumeMounts:
  {{- if .root.Values.caSecret }}
  - { name: ca, mountPath: /etc/emissions-ca, readOnly: true }
  {{- end }}
  {{- if $operators }}
  - { name: operators, mountPath: /etc/emissions-operators, readOnly: true }
  {{- end }}
{{- end }}
{{- end -}}

{{/* Spreads the pods of a component over nodes and zones, each version of the pods by itself. */}}
{{- define "emissions.spread" -}}
{{- $component := . -}}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "emissions.selector" $component | nindent 8 }}
    matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end -}}

{{/* Labels and annotations of a pod. Changed settings or secrets of the chart restart the pods. */}}
{{- define "emissions.podMetadata" -}}
labels: {{- include "emissions.labels" . | nindent 2 }}
annotations:
  checksum/settings: {{ list .root.Values.settings .root.Values.secrets | toJson | sha256sum }}
  {{- with .root.Values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* A budget that lets a drained node stop one pod of a component at a time. */}}
{{- define "emissions.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "emissions.name" .root }}-{{ .component }}
  labels: {{- include "emissions.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  # A pod that is not ready must not keep its node from being drained.
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "emissions.selector" . | nindent 6 }}
{{- end -}}

{{/* Seconds that a worker gets after SIGTERM: it ends within 9 s, and writes its log. */}}
{{- define "emissions.workerStopSeconds" -}}15{{- end -}}

{{/* Seconds that an API gets after SIGTERM: it ends within 7 s after SHUTDOWN_DRAIN_MS, and writes its log. */}}
{{- define "emissions.apiStopSeconds" -}}
{{- $drainMs := (.Values.settings).SHUTDOWN_DRAIN_MS | default 2000 | int -}}
{{- add 13 (div (add $drainMs 999) 1000) -}}
{{- end -}}

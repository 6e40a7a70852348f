{{- define "textloom.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{ .Release.Name | trunc 56 | trimSuffix "-" }}
{{- else -}}
{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 56 | trimSuffix "-" }}
{{- end -}}
{{- end -}}

{{/* what tells the pods of this release from all others */}}
{{- define "textloom.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "textloom.labels" -}}
{{ include "textloom.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "textloom.metadata" -}}
name: {{ include "textloom.fullname" . }}
labels: {{- include "textloom.labels" . | nindent 2 }}
{{- end -}}

{{/* name of the Secret with the keys, or nothing */}}
{{- define "textloom.keys" -}}
{{- if and .Values.keys.file .Values.keys.secret -}}
{{- fail "keys.file and keys.secret: give one of them" -}}
{{- end -}}
{{- if .Values.keys.file }}{{ include "textloom.fullname" . }}-keys{{ else }}{{ .Values.keys.secret }}{{ end -}}
{{- end -}}

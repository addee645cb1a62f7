/** The text of an issue: versions, device, settings and the end of the log, without paths and names. Does not use VS Code. */
import { type PrivateNames, withoutPrivate } from './private-text';

export interface IssueFacts {
  /** Of Coppice, VS Code, Node, and the system: name and version. */
  readonly versions: readonly (readonly [name: string, version: string])[];
  /** What computes, and why; undefined before anything was computed. */
  readonly device: string | undefined;
  /** Settings that differ from their defaults: numbers, switches and choices, never texts. */
  readonly settings: readonly (readonly [name: string, value: string])[];
  /** The end of the log. */
  readonly log: string;
}

const MAX_LINES = 60;

/** Markdown in English, which those who read issues understand. */
export function issueText({ versions, device, settings, log }: IssueFacts, names: PrivateNames): string {
  const lines = log.trimEnd().split('\n').slice(-MAX_LINES);
  const list = (facts: IssueFacts['settings']): string[] => facts.map(([name, value]) => `- ${name}: ${value}`);
  return [
    '## What happened, and what did you expect?',
    '',
    '',
    '## Versions',
    '',
    ...list(versions),
    `- device: ${withoutPrivate(device ?? 'nothing was computed yet', names)}`,
    '',
    '## Changed settings',
    '',
    ...(settings.length > 0 ? list(settings) : ['None.']),
    '',
    '## The end of the log',
    '',
    '```text',
    ...lines.map((line) => withoutPrivate(line, names).replaceAll('```', "'''")),
    '```',
    '',
  ].join('\n');
}

interface SettingSchema {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly default?: unknown;
}

/** The settings that may be told: a free text or a list may have anything in it. */
export function tellableSettings(
  properties: Readonly<Record<string, SettingSchema>>,
  valueOf: (name: string) => unknown,
): [name: string, value: string][] {
  return Object.entries(properties).flatMap(([name, { type, enum: choices, default: usual }]): [string, string][] => {
    const value = valueOf(name);
    const isPlain = type === 'boolean' || type === 'number' || type === 'integer' || choices?.includes(value) === true;
    const isOwn = typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string';
    return isPlain && isOwn && value !== usual ? [[name, String(value)]] : [];
  });
}

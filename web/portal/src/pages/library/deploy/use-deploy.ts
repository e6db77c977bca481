import { useEffect, useRef, useState } from 'react';
import type * as z from 'zod';
import type { BuildEvent } from '../../../../../../contract/api-v1.ts';
import type { DeployResult } from '../../../../../../contract/compatible.ts';
import { request } from '../../../api.ts';
import { streamOf } from '../../../events.ts';
import { useLibraryChanged } from '../functions.ts';

export type BuildStatus = (BuildEvent & { readonly type: 'status' })['status'];
type Started = z.infer<typeof DeployResult>;

export interface Build {
  readonly size: string;
  readonly status: BuildStatus;
  readonly lines: readonly string[];
  /** The tool's own words, once it failed. */
  readonly errorDetails: string | undefined;
}

/** How far the deploy of a zip has come. */
export type Deploy =
  | { readonly step: 'none' }
  | { readonly step: 'uploading'; readonly fileName: string }
  | { readonly step: 'refused'; readonly error: Error }
  | {
      readonly step: 'building';
      readonly started: Started;
      /** By operation. */
      readonly builds: Readonly<Record<string, Build>>;
      /** The stream broke; the build goes on by itself. */
      readonly lost: Error | undefined;
    };

const LINES_MAX = 2000;

/** Uploads a zip, then follows its builds to their end. */
export function useDeploy(): { deploy: Deploy; begin: (file: File) => void; reset: () => void } {
  const [deploy, setDeploy] = useState<Deploy>({ step: 'none' });
  const running = useRef<AbortController>(undefined);
  const changed = useLibraryChanged();
  useEffect(() => () => running.current?.abort(), []);

  const update = (opid: string, change: (build: Build) => Build): void =>
    setDeploy((before) => {
      const build = before.step === 'building' ? before.builds[opid] : undefined;
      if (before.step !== 'building' || build === undefined) return before;
      return { ...before, builds: { ...before.builds, [opid]: change(build) } };
    });

  const follow = async (opid: string, signal: AbortSignal): Promise<void> => {
    const path = `/api/v1/builds/${encodeURIComponent(opid)}/events`;
    for await (const event of streamOf<BuildEvent>(path, { signal })) {
      update(opid, (build) => afterEvent(build, event));
    }
  };

  const begin = async (file: File): Promise<void> => {
    running.current?.abort();
    const { signal } = (running.current = new AbortController());
    setDeploy({ step: 'uploading', fileName: file.name });
    let started: Started;
    try {
      const form = new FormData();
      form.append('file', file, 'function.zip');
      started = await request<Started>('/core-service/v1/upload', { method: 'POST', body: form, signal });
    } catch (thrown) {
      if (!signal.aborted) setDeploy({ step: 'refused', error: asError(thrown) });
      return;
    }
    const builds = started.deployedDetails.map(({ opid, size }) => [opid, { ...NEW_BUILD, size }] as const);
    setDeploy({ step: 'building', started, builds: Object.fromEntries(builds), lost: undefined });
    try {
      await Promise.all(started.deployedDetails.map(({ opid }) => follow(opid, signal)));
    } catch (thrown) {
      if (signal.aborted) return;
      setDeploy((before) => (before.step === 'building' ? { ...before, lost: asError(thrown) } : before));
    }
    await changed();
  };

  return {
    deploy,
    begin: (file) => void begin(file),
    reset() {
      running.current?.abort();
      setDeploy({ step: 'none' });
    },
  };
}

const NEW_BUILD = { status: 'QUEUED', lines: [], errorDetails: undefined } as const;

function afterEvent(build: Build, event: BuildEvent): Build {
  switch (event.type) {
    case 'status':
      return { ...build, status: event.status };
    case 'line':
      return { ...build, lines: [...build.lines, event.text].slice(-LINES_MAX) };
    case 'failed':
      return { ...build, errorDetails: event.errorDetails };
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

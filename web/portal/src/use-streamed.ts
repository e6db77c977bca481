import { useEffect, useRef, useState } from 'react';
import { ApiError } from './api.ts';
import { streamOf } from './events.ts';

interface StreamError {
  readonly type: 'error';
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** What a stream has told so far. */
export interface Streamed<S> {
  readonly state: S;
  readonly error: Error | undefined;
  readonly isRunning: boolean;
}

export interface Streaming<S> {
  /** Undefined before the first request. */
  readonly current: Streamed<S> | undefined;
  readonly begin: (body: object) => Promise<void>;
  readonly stop: () => void;
}

/**
 * One request at a time whose answer streams; `fold` adds an event to what is known. Leaving the page calls it off, and
 * nothing of it is kept.
 */
export function useStreamed<E extends { readonly type: string } | StreamError, S>(
  path: string,
  initial: S,
  fold: (state: S, event: Exclude<E, StreamError>) => S,
): Streaming<S> {
  const [current, setCurrent] = useState<Streamed<S>>();
  const running = useRef<AbortController>(undefined);
  useEffect(() => () => running.current?.abort(), []);
  const change = (part: (before: Streamed<S>) => Partial<Streamed<S>>): void =>
    setCurrent((before) => before && { ...before, ...part(before) });
  return {
    current,
    async begin(body) {
      const controller = new AbortController();
      const { signal } = controller;
      running.current?.abort();
      running.current = controller;
      setCurrent({ state: initial, error: undefined, isRunning: true });
      try {
        for await (const event of streamOf<E>(path, { method: 'POST', body, signal })) {
          if (isError(event)) throw new ApiError({ ...event, errors: [] });
          change(({ state }) => ({ state: fold(state, event as Exclude<E, StreamError>) }));
        }
      } catch (thrown) {
        const error = thrown instanceof Error ? thrown : new Error(String(thrown));
        if (!signal.aborted) change(() => ({ error }));
      }
      if (running.current === controller) change(() => ({ isRunning: false }));
    },
    stop: () => running.current?.abort(),
  };
}

function isError(event: { readonly type: string }): event is StreamError {
  return event.type === 'error';
}

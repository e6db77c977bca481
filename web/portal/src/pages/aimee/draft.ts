import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { AimeeSite, AimeeSiteForm } from '../../../../../contract/aimee.ts';
import { formOf, keepSite, saveSite } from './data.ts';

/** Settings of a site as they are being edited: one draft for all its views, saved at once. */
export interface Draft {
  /** The saved settings, with what was changed over them. */
  readonly value: AimeeSiteForm;
  readonly isChanged: boolean;
  readonly isSaving: boolean;
  readonly error: Error | null;
  /** Changes when fields have to begin anew with `value`, after saving or discarding. */
  readonly revision: number;
  readonly change: (part: Partial<AimeeSiteForm>) => void;
  readonly save: () => void;
  readonly discard: () => void;
}

export function useDraft(site: AimeeSite): Draft {
  const client = useQueryClient();
  const [changes, setChanges] = useState<Partial<AimeeSiteForm>>({});
  const [revision, setRevision] = useState(0);
  const saved = formOf(site);
  const value = { ...saved, ...changes };
  const beginAnew = (): void => {
    setChanges({});
    setRevision((number) => number + 1);
  };
  const save = useMutation({
    mutationFn: () => saveSite(site.id, value),
    onSuccess(answer) {
      keepSite(client, answer);
      beginAnew();
    },
  });
  return {
    value,
    isChanged: JSON.stringify(value) !== JSON.stringify(saved),
    isSaving: save.isPending,
    error: save.error,
    revision,
    change: (part) => setChanges((before) => ({ ...before, ...part })),
    save: () => save.mutate(),
    discard() {
      save.reset();
      beginAnew();
    },
  };
}

import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Badge } from '../../../ui/badge.tsx';
import { Button } from '../../../ui/button.tsx';
import { CodeBlock } from '../../../ui/code-block.tsx';
import { useFormat } from '../../../ui/format.ts';
import { Card } from '../../../ui/page.tsx';
import { saveFile } from '../../../ui/save-file.ts';
import { Table } from '../../../ui/table.tsx';
import { pretty } from '../requirements/requirements.tsx';
import type { FunctionAnswer } from './call-function.ts';

/** More characters than this are no reading matter. */
const SHOWN_LENGTH_MAX = 200_000;
const PICTURES = /^image\/(?:png|jpeg|gif|webp|avif|bmp)\b/i;
const TEXTS = /^(?:text\/|application\/(?:[\w.+-]+\+)?(?:json|xml|javascript|yaml)\b)/i;

/** What a function answered: status, time taken, headers, body. */
export function Answer({ answer }: { readonly answer: FunctionAnswer }): ReactNode {
  const { t } = useTranslation();
  const format = useFormat();
  const isGood = answer.status >= 200 && answer.status < 400;
  return (
    <Card title={t('pages.library.try.answer')}>
      <p className="row" role="status">
        <Badge tone={isGood ? 'good' : 'bad'}>
          {answer.status === 0
            ? t('pages.library.try.redirect')
            : t('pages.library.try.status', { status: answer.status })}
        </Badge>
        <span>{t('pages.library.try.took', { duration: format.duration(answer.durationMs) })}</span>
        <span className="muted">{format.bytes(answer.body.size)}</span>
      </p>
      {answer.isCut && <p className="notice warn">{t('pages.library.try.cut')}</p>}
      <Body body={answer.body} />
      <details>
        <summary>{t('pages.library.try.headers', { count: answer.headers.length })}</summary>
        <Table
          label={t('pages.library.try.headerTable')}
          rows={answer.headers}
          rowKey={([name, value]) => `${name}: ${value}`}
          columns={[
            { id: 'name', name: t('pages.library.try.headerName'), cell: ([name]) => <code>{name}</code> },
            {
              id: 'value',
              name: t('pages.library.try.headerValue'),
              cell: ([, value]) => <code>{value}</code>,
            },
          ]}
        />
      </details>
    </Card>
  );
}

function Body({ body }: { readonly body: Blob }): ReactNode {
  const { t } = useTranslation();
  if (body.size === 0) return <p className="muted">{t('pages.library.try.empty')}</p>;
  return (
    <>
      {PICTURES.test(body.type) && <Picture body={body} />}
      {TEXTS.test(body.type) && <TextBody body={body} />}
      <Download body={body} />
    </>
  );
}

function TextBody({ body }: { readonly body: Blob }): ReactNode {
  const { t } = useTranslation();
  const id = useId();
  const { data } = useQuery({
    queryKey: ['answer', id, body.size, body.type],
    queryFn: () => body.slice(0, SHOWN_LENGTH_MAX).text(),
    gcTime: 0,
  });
  if (data === undefined) return null;
  return (
    <>
      <CodeBlock label={t('pages.library.try.body')} text={pretty(data)} />
      {body.size > SHOWN_LENGTH_MAX && <p className="muted">{t('pages.library.try.more')}</p>}
    </>
  );
}

/** Drawn, not linked: the page's policy lets no picture in but its own. */
function Picture({ body }: { readonly body: Blob }): ReactNode {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [isBroken, setBroken] = useState(false);
  useEffect(() => {
    let isGone = false;
    createImageBitmap(body).then(
      (bitmap) => {
        if (isGone || canvas.current === null) return;
        canvas.current.width = bitmap.width;
        canvas.current.height = bitmap.height;
        canvas.current.getContext('2d')?.drawImage(bitmap, 0, 0);
      },
      () => setBroken(true),
    );
    return () => {
      isGone = true;
    };
  }, [body]);
  if (isBroken) return <p className="muted">{t('pages.library.try.brokenPicture')}</p>;
  return <canvas ref={canvas} className="picture" role="img" aria-label={t('pages.library.try.picture')} />;
}

function Download({ body }: { readonly body: Blob }): ReactNode {
  const { t } = useTranslation();
  return (
    <div className="row">
      <Button onPress={() => saveFile(`answer.${endingOf(body.type)}`, body)}>
        {t('pages.library.try.download')}
      </Button>
    </div>
  );
}

function endingOf(type: string): string {
  const [, subtype = 'bin'] = /^[\w.+-]+\/([\w]+)/.exec(type) ?? [];
  return { plain: 'txt', octet: 'bin', jpeg: 'jpg', svg: 'svg' }[subtype] ?? subtype;
}

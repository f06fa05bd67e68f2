import { TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import type { Neighbours as Found } from '../../../../preload/contract/index.ts';
import { drawEffects } from '../../../charts/effects.ts';
import { Chart } from '../../../ui/Chart.tsx';
import { visible } from '../../../ui/format.ts';
import { toCsv } from '../../../ui/save.ts';
import { Loaded } from '../../Loaded.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import { fileName } from '../parts/figures.ts';
import parts from '../parts/parts.module.css';
import classes from './weights.module.css';

/** Which tokens the model keeps beside one. */
export function Neighbours({ model }: { model: string }) {
  const { weights } = useStudio();
  const search = usePart(weights.store, (state) => state.search);
  const [asked] = useDebouncedValue(search, 300);
  const query = useQuery({
    queryKey: ['neighbours', model, asked],
    enabled: asked !== '',
    placeholderData: keepPreviousData,
    queryFn: () => weights.neighbours(model, tokenOf(asked)),
  });
  return (
    <section className={`${parts.section} ${classes.neighbours}`} aria-label="Nearest tokens">
      <div className={parts.head}>
        <h2>Nearest tokens</h2>
      </div>
      <TextInput
        aria-label="Token whose neighbours are shown"
        description="Text (a space before a word matters), or # and an id"
        inputWrapperOrder={['input', 'description']}
        className={classes.token}
        classNames={{ input: 'mono' }}
        leftSection={<IconSearch size={14} stroke={1.5} />}
        value={search}
        onChange={(event) => weights.change({ search: event.currentTarget.value })}
      />
      {asked !== '' && (
        <Loaded query={query}>{(found) => <Nearest model={model} found={found} />}</Loaded>
      )}
    </section>
  );
}

/** `#411` is an id; all else is text. */
const tokenOf = (search: string): number | string =>
  /^#\d+$/.test(search) ? Number(search.slice(1)) : search;

function Nearest({ model, found }: { model: string; found: Found }) {
  const { token, neighbours } = found;
  const draw = useCallback(
    (svg: SVGSVGElement, width: number) =>
      drawEffects(
        svg,
        {
          caption: 'Cosine of the embeddings',
          effects: neighbours.map(({ text, id, cosine }) => ({
            label: `${visible(text)}  #${id}`,
            value: cosine,
          })),
          figure: (cosine) => cosine.toFixed(3).replace('-', '−'),
        },
        width,
      ),
    [neighbours],
  );
  return (
    <>
      <p className={parts.sentence}>
        Tokens whose embeddings point most nearly the same way as that of{' '}
        <strong>{visible(token.text)}</strong> (id {token.id}).
      </p>
      <div className={classes.nearest}>
        <Chart
          label={`Tokens nearest to ${token.text}`}
          draw={draw}
          save={{
            name: fileName(model, 'neighbours', String(token.id)),
            csv: () =>
              toCsv(
                ['id', 'text', 'cosine'],
                neighbours.map(({ id, text, cosine }) => [id, text, cosine]),
              ),
            json: () => found,
          }}
        />
      </div>
    </>
  );
}

import { Select, Textarea } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { ModelRecord } from '../../../../preload/contract/index.ts';
import { modelKey } from '../../../state/models.ts';
import { Empty } from '../../../ui/Empty.tsx';
import { Loaded } from '../../Loaded.tsx';
import { usePart, useStudio } from '../../studioContext.ts';
import parts from '../parts/parts.module.css';
import { Cut } from './Cut.tsx';
import { LossSection } from './LossSection.tsx';
import { SideBySide } from './SideBySide.tsx';
import classes from './tokenizer.module.css';

/** How a text is cut into tokens, by one tokenizer or two, and what models make of each. */
export function TokenizerTab() {
  const { inspect } = useStudio();
  const model = usePart(inspect.store, (state) => state.model);
  if (model === null) return <Empty>Choose a model above to see how it cuts a text.</Empty>;
  return (
    <div className={parts.scroll}>
      <Text />
      <Tokens model={model} />
      <LossSection />
    </div>
  );
}

const none: readonly ModelRecord[] = [];

function Text() {
  const { inspect, tokenizer, models } = useStudio();
  const text = usePart(tokenizer.store, (state) => state.text);
  const other = usePart(tokenizer.store, (state) => state.other);
  const model = usePart(inspect.store, (state) => state.model);
  const known = usePart(models.store, (state) => state.models) ?? none;
  return (
    <section className={parts.section} aria-label="Text">
      <div className={parts.head}>
        <h2>Text</h2>
        <span className={parts.end}>
          <span className={parts.named}>
            Compared with the tokenizer of
            <Select
              aria-label="Other tokenizer"
              size="xs"
              className={classes.other}
              value={other ?? ''}
              data={[
                { value: '', label: 'no other' },
                ...known
                  .filter((record) => modelKey(record) !== model)
                  .map((record) => ({ value: modelKey(record), label: record.name })),
              ]}
              searchable={known.length > 8}
              onChange={(key) => tokenizer.change({ other: key === '' ? null : key })}
            />
          </span>
        </span>
      </div>
      <Textarea
        aria-label="Text to cut"
        rows={3}
        resize="vertical"
        spellCheck={false}
        classNames={{ input: classes.input }}
        value={text}
        onChange={(event) => tokenizer.change({ text: event.currentTarget.value, position: null })}
      />
    </section>
  );
}

function Tokens({ model }: { model: string }) {
  const { tokenizer } = useStudio();
  const other = usePart(tokenizer.store, (state) => state.other);
  const [text] = useDebouncedValue(
    usePart(tokenizer.store, (state) => state.text),
    250,
  );
  const first = useCut(model, text);
  const second = useCut(other, text);
  return (
    <>
      <Loaded query={first}>{(cut) => <Cut cut={cut} />}</Loaded>
      {other !== null && (
        <Loaded query={second}>
          {(cut) => first.data && <SideBySide text={text} first={first.data} second={cut} />}
        </Loaded>
      )}
    </>
  );
}

function useCut(model: string | null, text: string) {
  const { tokenizer } = useStudio();
  return useQuery({
    queryKey: ['tokenText', model, text],
    enabled: model !== null,
    placeholderData: keepPreviousData,
    gcTime: 30_000,
    queryFn: ({ signal }) => tokenizer.tokens(model ?? '', text, signal),
  });
}

/**
 * What is held and what it earned, by instrument: amounts of different currencies are never added up.
 *
 * Exposure is what the positions are worth at the last price, long and short added.
 */
import type { JSX } from "react";
import type { Position } from "../../answers/answers.ts";
import { useConsole } from "../../context.ts";
import { grouped } from "../../grouped.ts";
import { absoluteDecimal, multiplyDecimals, shownDecimal, sumDecimals } from "../../numbers.ts";
import { usePositions } from "../../queries.ts";
import { Money } from "../money.tsx";
import { Panel } from "../panel.tsx";
import { ScrollX } from "../scroll-x.tsx";

export function ExposurePanel(): JSX.Element {
  const { t } = useConsole();
  const positions = usePositions();
  const instruments = [...grouped(positions.data ?? [], ({ instrument_id }) => instrument_id)];
  return (
    <Panel title={t("exposure")} name="exposure" problem={positions.error} line="rumi positions list">
      {instruments.length === 0 ? (
        <p className="empty">{t(positions.data === undefined ? "loading" : "no_positions")}</p>
      ) : (
        <ScrollX label={t("exposure")}>
          <table data-testid="exposure">
            <thead>
              <tr>
                <th scope="col">{t("instrument")}</th>
                {(["position", "exposure", "realised", "unrealised", "fees"] as const).map((word) => (
                  <th key={word} scope="col" className="number">
                    {t(word)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {instruments.map(([instrument, held]) => (
                <InstrumentRow key={instrument} instrument={instrument} held={held} />
              ))}
            </tbody>
          </table>
        </ScrollX>
      )}
    </Panel>
  );
}

function InstrumentRow(props: { readonly instrument: string; readonly held: readonly Position[] }): JSX.Element {
  const { instrument, held } = props;
  const exposure = sumDecimals(
    held.map(({ quantity, last_price }) => absoluteDecimal(multiplyDecimals(quantity, last_price))),
  );
  const sum = (pick: (of: Position) => string): string => sumDecimals(held.map(pick));
  return (
    <tr>
      <td className="mono">{instrument}</td>
      <td className="number mono">{sum(({ quantity }) => quantity)}</td>
      <td className="number mono" data-testid={`exposure-${instrument}`}>
        {shownDecimal(exposure, 2)}
      </td>
      <td className="number mono">
        <Money amount={sum(({ realised_profit }) => realised_profit)} />
      </td>
      <td className="number mono">
        <Money amount={sum(({ unrealised_profit }) => unrealised_profit)} />
      </td>
      <td className="number mono dim">
        {shownDecimal(
          sum(({ fees }) => fees),
          2,
        )}
      </td>
    </tr>
  );
}

//! The declaration of an enterprise's size, in the order of the Commission's model (2003/C 118/03):
//! who, of which type, with which figures, and the signature; then annexes with the calculation.

use std::fmt::Write as _;

use access::sme::{Relation, Size};

use super::Assessed;
use super::told::{addends, calculation, is, plain};

/// What is left to be written by hand.
const BLANK: &str = "______________________________";

/// The declaration as text to print.
pub(super) fn of(assessed: &Assessed<'_>) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = write(&mut text, assessed);
    text
}

fn write(text: &mut String, assessed: &Assessed<'_>) -> std::fmt::Result {
    let (described, result) = (&assessed.description, &assessed.assessment);
    let or_blank = |said: &Option<String>| said.clone().unwrap_or_else(|| BLANK.to_owned());
    writeln!(text, "DECLARATION: SIZE OF AN ENTERPRISE")?;
    writeln!(text, "by Commission Recommendation 2003/361/EC, as {} has it\n", result.rule)?;
    writeln!(text, "1. The enterprise")?;
    writeln!(text, "   Name:          {}", assessed.name())?;
    writeln!(text, "   Address:       {}", or_blank(&described.address))?;
    writeln!(text, "   Registration:  {}\n", or_blank(&described.registration))?;
    writeln!(text, "2. Its type (Article 3)")?;
    for (kind, means) in [
        (Relation::Autonomous, "its own figures alone count"),
        (Relation::Partner, "the figures of partners count in proportion: annex A"),
        (Relation::Linked, "the figures of linked enterprises count in full: annex B"),
    ] {
        let mark = if result.relation == kind { "x" } else { " " };
        writeln!(text, "   [{mark}] {kind} enterprise: {means}")?;
    }
    figures(text, assessed)?;
    let signs = &described.signatory;
    let date = signs.date.unwrap_or(assessed.on);
    writeln!(text, "\n4. Signature")?;
    writeln!(
        text,
        "   I declare on my honour the accuracy of this declaration and of its annexes."
    )?;
    writeln!(text, "   Name of the signatory, authorised to represent the enterprise:")?;
    writeln!(text, "                  {}", or_blank(&signs.name))?;
    writeln!(text, "   Function:      {}", or_blank(&signs.function))?;
    writeln!(text, "   Done at:       {}, on {date}", or_blank(&signs.place))?;
    writeln!(text, "   Signature:\n\n                  {BLANK}\n")?;
    annexes(text, assessed)
}

/// The figures, the class, and whether it changed against the period before.
fn figures(text: &mut String, assessed: &Assessed<'_>) -> std::fmt::Result {
    let result = &assessed.assessment;
    writeln!(text, "\n3. The figures that determine its class (Articles 2, 4 and 6)")?;
    if let Some(period) = result.periods.last() {
        writeln!(text, "   Reference period closed on: {}", period.closed_on)?;
    }
    let [awu, turnover, balance] = plain(&result.size);
    writeln!(text, "   Headcount (AWU):            {awu}")?;
    writeln!(text, "   Annual turnover (EUR):      {turnover}")?;
    writeln!(text, "   Balance sheet total (EUR):  {balance}")?;
    writeln!(text, "   Class:                      {}", result.class)?;
    let mut last = result.periods.iter().rev().map(|period| period.class);
    let (latest, before) = (last.next(), last.next());
    let changed = match (latest, before) {
        (Some(latest), Some(before)) if latest != before => {
            format!("yes, {before} became {latest} by the figures of this period alone")
        }
        (_, Some(_)) => "no".to_owned(),
        _ => "there is no period before".to_owned(),
    };
    writeln!(text, "   Change of class against the period before (Article 4(2)): {changed}")
}

/// The calculation: the sums of the model's annex, the partners and the linked enterprises.
fn annexes(text: &mut String, assessed: &Assessed<'_>) -> std::fmt::Result {
    let sum = |of: &dyn Fn(Option<Relation>) -> bool| {
        let counted = addends(assessed).filter(|(_, addend)| of(addend.relation));
        counted.filter_map(|(line, _)| line.size).fold(Size::default(), Size::plus)
    };
    let rows = [
        ("own figures", sum(&|it| it.is_none())),
        ("partners, in proportion (annex A)", sum(&|it| it == Some(Relation::Partner))),
        ("linked, in full (annex B)", sum(&|it| it == Some(Relation::Linked))),
        ("together", assessed.assessment.size),
    ];
    writeln!(text, "ANNEX: CALCULATION FOR PARTNER AND LINKED ENTERPRISES (Article 6)")?;
    let header = ["", "headcount (AWU)", "turnover (EUR)", "balance sheet (EUR)"];
    let mut sums = crate::output::table(
        header,
        rows.map(|(what, size)| {
            let [awu, turnover, balance] = plain(&size);
            [what.to_owned(), awu, turnover, balance]
        }),
    );
    crate::output::right(&mut sums, &[1, 2, 3]);
    writeln!(text, "{sums}\n\n{}", calculation(assessed))?;
    for (annex, title, relation) in [
        ("A", "PARTNER ENTERPRISES (Article 3(2))", Relation::Partner),
        ("B", "LINKED ENTERPRISES (Article 3(3))", Relation::Linked),
    ] {
        writeln!(text, "\nANNEX {annex}: {title}")?;
        let mut of_kind = addends(assessed).filter(|(_, it)| is(it, relation)).peekable();
        if of_kind.peek().is_none() {
            writeln!(text, "   none")?;
        }
        for (line, addend) in of_kind {
            let [awu, turnover, balance] = plain(&addend.whole);
            let share = line.share.map_or_else(String::new, |share| share.to_string());
            writeln!(text, "   {}: counts by {share}", addend.name)?;
            writeln!(text, "      accounts of {}: {awu} AWU", addend.accounts_of)?;
            writeln!(text, "      turnover EUR {turnover}, balance sheet EUR {balance}")?;
        }
    }
    writeln!(text, "\nREASONS")?;
    for line in assessed.assessment.lines.iter().filter(|line| line.addend.is_none()) {
        writeln!(text, "   - {} ({})", line.what, line.article)?;
    }
    Ok(())
}

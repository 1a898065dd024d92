//! Names of nodes in short: `n1`, `n[1-4,7]`, `rack[01-12]-b,login`.

use super::SITE_NODES_MAX;

/// All names that a list stands for, in its order; `None` when it is none, or too long.
pub fn expand(list: &str) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for part in split_outside_brackets(list)? {
        expand_one(part.trim(), &mut names)?;
    }
    Some(names)
}

/// The parts between commas that stand in no brackets.
fn split_outside_brackets(list: &str) -> Option<Vec<&str>> {
    let (mut parts, mut begin, mut depth) = (Vec::new(), 0, 0_usize);
    for (at, mark) in list.char_indices() {
        match mark {
            '[' => depth += 1,
            ']' => depth = depth.checked_sub(1)?,
            ',' if depth == 0 => {
                parts.push(list.get(begin..at)?);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(list.get(begin..)?);
    (depth == 0).then_some(parts)
}

/// Adds what one name with any number of brackets stands for.
fn expand_one(name: &str, names: &mut Vec<String>) -> Option<()> {
    let mut made = vec![String::new()];
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('[') {
        let (ranges, next) = after.split_once(']')?;
        let numbers = numbers(ranges)?;
        if made.len().checked_mul(numbers.len())? > SITE_NODES_MAX {
            return None;
        }
        let longer = made
            .iter()
            .flat_map(|begin| numbers.iter().map(move |number| format!("{begin}{before}{number}")));
        made = longer.collect();
        rest = next;
    }
    if name.is_empty() || names.len() + made.len() > SITE_NODES_MAX {
        return None;
    }
    names.extend(made.into_iter().map(|begin| begin + rest));
    Some(())
}

/// The numbers of `1-4,07,9`, each with the zeros before it.
fn numbers(ranges: &str) -> Option<Vec<String>> {
    let mut numbers = Vec::new();
    for range in ranges.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let width = first.len();
        let [first, last] = [first, last].map(|text| text.parse::<u32>().ok());
        let (first, last) = (first?, last?);
        let count = usize::try_from(last.checked_sub(first)?).ok()?;
        if numbers.len() + count >= SITE_NODES_MAX {
            return None;
        }
        numbers.extend((first..=last).map(|number| format!("{number:0width$}")));
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::expand;

    #[test]
    fn short_names_stand_for_what_slurm_means_by_them() {
        let list = |text| expand(text).map(|names| names.join(" ")).unwrap_or("-".to_owned());
        assert_eq!(list("n1"), "n1");
        assert_eq!(list("n[1-3,7],login"), "n1 n2 n3 n7 login");
        assert_eq!(list("r[1-2]n[08-10]x"), "r1n08x r1n09x r1n10x r2n08x r2n09x r2n10x");
        for wrong in ["", "n[1-", "n]1[", "n[3-1]", "n[a]", "n[1-999999999]", "a[1-999]b[1-999]"] {
            assert_eq!(list(wrong), "-", "{wrong}");
        }
    }
}

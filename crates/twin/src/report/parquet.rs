//! Every job of every repetition, one a row, as Parquet.

use std::io::Write;
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::ParquetError as Fault;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::scenario::Scenario;
use crate::simulation::{Fate, Run};
use crate::workload::{Group, Job};

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("the jobs cannot be written as Parquet")]
pub struct ParquetError(#[from] Fault);

/// Times are seconds after the start of the scenario; a job that did not run has no machine.
const SCHEMA: &str = "message job {
    required binary scenario (utf8);
    required int64 seed;
    required int64 submit_seconds;
    required int64 start_seconds;
    required int64 run_seconds;
    required int64 limit_seconds;
    required int32 units;
    required int32 times_lost;
    required boolean interactive;
    required binary machine (utf8);
    required binary group (utf8);
    required binary class (utf8);
    required binary payer (utf8);
}";

/// Writes every job of all runs to `out`.
///
/// # Errors
/// When it cannot be written.
pub fn write_jobs<W: Write + Send>(
    out: W,
    studied: &[(&Scenario, &[Run])],
) -> Result<(), ParquetError> {
    let schema = Arc::new(parse_message_type(SCHEMA)?);
    let properties = WriterProperties::builder().set_compression(Compression::UNCOMPRESSED).build();
    let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    for (scenario, runs) in studied {
        for run in *runs {
            let mut rows = file.next_row_group()?;
            write_run(&mut rows, scenario, run)?;
            rows.close()?;
        }
    }
    file.close()?;
    Ok(())
}

fn write_run<W: Write + Send>(
    rows: &mut SerializedRowGroupWriter<'_, W>,
    scenario: &Scenario,
    run: &Run,
) -> Result<(), Fault> {
    let jobs = || run.workload.jobs.iter().zip(&run.fates);
    let seconds = |of: fn(&Job, &Fate) -> i64| jobs().map(|(job, fate)| of(job, fate)).collect();
    let count = |of: fn(&Fate) -> u32| {
        jobs().map(|(_, fate)| i32::try_from(of(fate)).unwrap_or(i32::MAX)).collect()
    };
    let text = |of: &dyn Fn(&Job, &Fate) -> String| {
        jobs().map(|(job, fate)| ByteArray::from(of(job, fate).into_bytes())).collect()
    };
    let group = |job: &Job, of: fn(&Group) -> &String| {
        run.workload.groups.get(job.group).map(of).cloned().unwrap_or_default()
    };
    let seed = i64::try_from(run.seed).unwrap_or(i64::MAX);
    column::<ByteArrayType, W>(rows, text(&|_, _| scenario.name.clone()))?;
    column::<Int64Type, W>(rows, jobs().map(|_| seed).collect())?;
    column::<Int64Type, W>(rows, seconds(|job, _| job.submit))?;
    column::<Int64Type, W>(rows, seconds(|_, fate| fate.start))?;
    column::<Int64Type, W>(rows, seconds(|job, _| job.run_seconds))?;
    column::<Int64Type, W>(rows, seconds(|job, _| job.limit_seconds))?;
    column::<Int32Type, W>(rows, count(|fate| fate.units))?;
    column::<Int32Type, W>(rows, count(|fate| fate.lost))?;
    column::<BoolType, W>(rows, jobs().map(|(job, _)| job.interactive).collect())?;
    let machine = |fate: &Fate| {
        let machine = fate.machine.and_then(|machine| scenario.machines.get(machine));
        machine.map(|machine| machine.key.clone()).unwrap_or_default()
    };
    column::<ByteArrayType, W>(rows, text(&|_, fate| machine(fate)))?;
    column::<ByteArrayType, W>(rows, text(&|job, _| group(job, |it| &it.key)))?;
    column::<ByteArrayType, W>(rows, text(&|job, _| group(job, |it| &it.class)))?;
    column::<ByteArrayType, W>(rows, text(&|job, _| group(job, |it| &it.payer)))
}

fn column<T: DataType, W: Write + Send>(
    rows: &mut SerializedRowGroupWriter<'_, W>,
    values: Vec<T::T>,
) -> Result<(), Fault> {
    let next = rows.next_column()?;
    let mut column =
        next.ok_or_else(|| Fault::General("the schema has fewer columns".to_owned()))?;
    column.typed::<T>().write_batch(&values, None, None)?;
    column.close()
}

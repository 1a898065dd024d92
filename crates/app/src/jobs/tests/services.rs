use std::collections::BTreeMap;

use bytes::Bytes;
use site::protocol::{End, EventBody, StoredFile};
use vault::{Kind, Making, Sensitivity, Sha256};

use super::super::{NewOutput, Submission, Work};
use super::yard::{Yard, here, script};
use crate::data::{NewRepository, NewRevision, Reference, Repository};

async fn bytes(
    text: &'static str,
) -> impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> {
    futures_util::stream::iter([Ok(Bytes::from_static(text.as_bytes()))])
}

/// A dataset of the project with one file.
async fn dataset(yard: &Yard, text: &'static str) -> Repository {
    let new = NewRepository {
        kind: Kind::Dataset,
        name: "texts".parse().unwrap(),
        title: "Texts".to_owned(),
        licence: None,
        sensitivity: Sensitivity::Confidential,
    };
    let made = yard.app().create_repository(&yard.ada, yard.project, new).await.unwrap();
    let sha256 = Sha256::of(text.as_bytes());
    let upload = yard.app().upload(&yard.ada, made.id, (sha256, None), bytes(text).await);
    upload.await.unwrap();
    let revision = NewRevision {
        parent: None,
        message: "first".to_owned(),
        put: vec![("a.txt".parse().unwrap(), sha256)],
        remove: Vec::new(),
        inputs: BTreeMap::new(),
    };
    yard.app().commit_revision(&yard.ada, made.id, revision).await.unwrap();
    yard.app().repository(&yard.ada, made.id).await.unwrap()
}

fn training(dataset: &Repository) -> Submission {
    let values = [("dataset", dataset.id.to_string()), ("steps", "7".to_owned())];
    let values = values.map(|(name, value)| (name.to_owned(), value)).into();
    Submission {
        work: Work::Service { name: "train-lm".parse().unwrap(), values },
        outputs: vec![NewOutput {
            name: "model".parse().unwrap(),
            path: None,
            kind: None,
            repository: Some("my-model".parse().unwrap()),
            licence: None,
        }],
        options: vec!["--time=5".to_owned()],
        ..script("")
    }
}

async fn put(yard: &Yard, job: units::JobId, text: &'static str) -> StoredFile {
    let sha256 = Sha256::of(text.as_bytes());
    let (site, output) = (here(), "model".parse().unwrap());
    let announced = (sha256, None);
    let body = bytes(text).await;
    let blob = yard.app().site_output(&yard.agent, (&site, job), &output, announced, body).await;
    StoredFile {
        path: "config.json".to_owned(),
        size_bytes: blob.unwrap().size_bytes,
        sha256: sha256.to_string(),
    }
}

#[tokio::test]
async fn a_service_reads_a_dataset_and_leaves_a_model_that_names_where_it_comes_from() {
    for yard in Yard::each().await {
        let data = dataset(&yard, "some text").await;
        let job = yard.submit(training(&data)).await.unwrap().jobs.remove(0);
        assert_eq!(job.request.time_limit_seconds.get(), 300, "options win over directives");
        let start = yard.start_of(job.id).await;
        assert!(start.script.contains("export PARAM_STEPS='7'\n"));
        assert_eq!(start.inputs[0].mount, "dataset");
        assert_eq!(start.inputs[0].files[0].path, "a.txt");
        let path = "a.txt".parse().unwrap();
        let mount = "dataset".parse().unwrap();
        let site = here();
        let input =
            yard.app().site_input(&yard.agent, (&site, job.id), &mount, &path).await.unwrap();
        assert_eq!(input.entry().sha256, Sha256::of(b"some text"));

        let file = put(&yard, job.id, "{}").await;
        let stored = EventBody::OutputStored { output: "model".to_owned(), files: vec![file] };
        let stored = yard.event(job.id, stored);
        yard.send(vec![stored.clone()]).await;
        yard.send(vec![stored]).await;
        yard.ends(job.id, End::Completed, 60).await;

        let detail = yard.app().job(&yard.ada, job.id).await.unwrap();
        let (repository, revision) = detail.outputs[0].result.clone().unwrap().unwrap();
        let model = yard.app().repository(&yard.ada, repository).await.unwrap();
        assert_eq!(
            (model.name.as_str(), model.kind, model.revisions),
            ("my-model", Kind::Model, 1)
        );
        assert_eq!(model.sensitivity, Sensitivity::Confidential);
        let reference = Reference::Id(revision);
        let lineage = yard.app().lineage(&yard.ada, repository, reference).await.unwrap();
        assert_eq!(lineage.inputs.len(), 1);
        let Making::Job { job: made_by, allocation, code } = lineage.revision.making else {
            panic!("not made by a job");
        };
        assert_eq!((made_by, allocation), (job.id, yard.allocation));
        assert_eq!(code.recipe.to_string(), "service train-lm 1");
    }
}

#[tokio::test]
async fn an_output_that_cannot_be_kept_leaves_its_reason_with_the_job() {
    for yard in Yard::each().await {
        let data = dataset(&yard, "some text").await;
        let job = yard.submit(training(&data)).await.unwrap().jobs.remove(0);
        let mut file = put(&yard, job.id, "{}").await;
        file.sha256 = Sha256::of(b"never sent").to_string();
        let body = EventBody::OutputStored { output: "model".to_owned(), files: vec![file] };
        yard.report(job.id, body).await;
        let detail = yard.app().job(&yard.ada, job.id).await.unwrap();
        let refused = detail.outputs[0].result.clone().unwrap().unwrap_err();
        assert!(!refused.is_empty());
        let repositories = yard.app().repositories(&yard.ada, &Default::default(), 9).await;
        assert_eq!(repositories.unwrap().len(), 1, "no empty repository is left behind");
        yard.ends(job.id, End::Completed, 60).await;
        assert_eq!(yard.stands(job.id).await, "completed");
    }
}

#[tokio::test]
async fn wrong_values_are_refused_field_by_field() {
    let yard = Yard::new().await;
    let data = dataset(&yard, "some text").await;
    let mut new = training(&data);
    if let Work::Service { values, .. } = &mut new.work {
        values.insert("steps".to_owned(), "0".to_owned());
        values.insert("size".to_owned(), "giant".to_owned());
    }
    let error = yard.submit(new).await.unwrap_err().to_string();
    assert!(error.contains("values.size: choose one of"), "{error}");
    assert!(error.contains("values.steps: write a whole number from 1"), "{error}");
    let mut other = training(&data);
    other.outputs[0].path = Some("elsewhere".to_owned());
    let error = yard.submit(other).await.unwrap_err().to_string();
    assert!(error.contains("train-lm decides what it writes"), "{error}");
    let mut model = training(&data);
    model.work = Work::Service {
        name: "generate-text".parse().unwrap(),
        values: [("model".to_owned(), data.id.to_string())].into(),
    };
    model.outputs.clear();
    let error = yard.submit(model).await.unwrap_err().to_string();
    assert!(error.contains("model: texts is a dataset"), "{error}");
}

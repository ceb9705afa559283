//! The finished segments of a rebuild.

use serde::{Deserialize, Serialize};

/// A set of the numbers 0 to `of - 1`, as a hexadecimal text of one bit each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segments {
    of: u32,
    #[serde(with = "hex", default, skip_serializing_if = "Vec::is_empty")]
    done: Vec<u8>,
}

impl Segments {
    /// Segments of which none is finished.
    #[must_use]
    pub fn new(of: u32) -> Self {
        Self { of, done: vec![0; of.div_ceil(8) as usize] }
    }

    #[must_use]
    pub fn of(&self) -> u32 {
        self.of
    }

    /// The number of finished segments.
    #[must_use]
    pub fn finished(&self) -> u32 {
        self.done.iter().map(|byte| byte.count_ones()).sum()
    }

    /// Whether there are segments, and all of them are finished.
    #[must_use]
    pub fn are_finished(&self) -> bool {
        self.of > 0 && self.finished() == self.of
    }

    #[must_use]
    pub fn is_finished(&self, segment: u32) -> bool {
        self.done.get((segment / 8) as usize).is_some_and(|byte| byte & bit(segment) != 0)
    }

    /// Adds a segment. A number that is no segment is ignored.
    pub fn finish(&mut self, segment: u32) {
        if segment < self.of
            && let Some(byte) = self.done.get_mut((segment / 8) as usize)
        {
            *byte |= bit(segment);
        }
    }
}

fn bit(segment: u32) -> u8 {
    1 << (segment % 8)
}

mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&data_encoding::HEXLOWER.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        data_encoding::HEXLOWER.decode(text.as_bytes()).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_finished_one_by_one() {
        let mut segments = Segments::new(10);
        assert!(!segments.are_finished());
        for segment in [9, 0, 9, 10, 11] {
            segments.finish(segment);
        }
        assert_eq!((segments.finished(), segments.is_finished(9), segments.is_finished(1)), (2, true, false));
        (0..10).for_each(|segment| segments.finish(segment));
        assert!(segments.are_finished());
        let text = serde_json::to_string(&segments).unwrap();
        assert_eq!(text, r#"{"of":10,"done":"ff03"}"#);
        assert_eq!(serde_json::from_str::<Segments>(&text).unwrap(), segments);
    }

    #[test]
    fn no_segments_are_not_finished() {
        assert!(!Segments::default().are_finished());
    }
}

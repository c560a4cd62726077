-- A figure of too few examples is not defined, and was told as 0: the worst AUC, the best calibration.
CREATE OR REPLACE VIEW model_quality
DEFINER = ${definer} SQL SECURITY DEFINER
COMMENT 'How good each model is by version, one row whose predictions are judged; what so few examples cannot tell is NULL.'
AS SELECT
    model,
    candidate,
    model_offset,
    max(at) AS at,
    max(version) AS version,
    maxIf(value, metric = 'champion') AS champion,
    maxIf(value, metric = 'examples') AS examples,
    anyOrNullIf(value, metric = 'auc_window') AS auc,
    anyOrNullIf(value, metric = 'log_loss_window') AS log_loss,
    anyOrNullIf(value, metric = 'brier_window') AS brier,
    anyOrNullIf(value, metric = 'ece_window') AS ece,
    anyOrNullIf(value, metric = 'base_rate_window') AS base_rate,
    anyOrNullIf(value, metric = 'predicted_window') AS predicted,
    anyOrNullIf(value, metric = 'lift_window') AS lift,
    anyOrNullIf(value, metric = 'reward') AS reward,
    anyIf(series, metric = 'calibration_predicted') AS calibration_predicted,
    anyIf(series, metric = 'calibration_happened') AS calibration_happened,
    anyIf(series, metric = 'calibration_count') AS calibration_count,
    anyIf(series, metric = 'lift') AS lift_by_tenth
FROM model_metrics FINAL
WHERE candidate != 'model'
GROUP BY model, candidate, model_offset;
